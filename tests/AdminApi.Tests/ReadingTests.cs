using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Lists by key, details with their history, files in parts, statistics of the moment.</summary>
public sealed class ReadingTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_show_every_run_once_while_new_ones_come_in()
    {
        var scope = await AddScopeAsync();
        var runs = new List<Guid>();
        for (var i = 0; i < 7; i++)
        {
            runs.Add(await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed));
        }

        var seen = new List<Guid>();
        string? next = null;
        do
        {
            var page = await GetAsync($"/fine-tuning/runs?projectId={scope.ProjectId}&limit=3{(next is null ? "" : "&after=" + next)}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()));
            next = page.GetProperty("next").GetString();
            await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed);
        }
        while (next is not null);

        Assert.Equal(Enumerable.Reverse(runs), seen);
    }

    [Fact]
    public async Task A_list_is_narrowed_by_state_and_shows_no_exports()
    {
        var scope = await AddScopeAsync();
        await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed);
        var skipped = await world.AddRunAsync(scope, RunPurpose.Training, RunState.Skipped, "12 of 50");
        await world.AddRunAsync(scope, RunPurpose.Export, RunState.Skipped);

        var page = await GetAsync($"/projects/{scope.ProjectId}/training/history?state=skipped");

        var run = Assert.Single(page.GetProperty("items").EnumerateArray());
        Assert.Equal((skipped, "12 of 50"), (run.GetProperty("id").GetGuid(), run.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task A_list_is_narrowed_by_trigger_and_period_page_by_page()
    {
        var scope = await AddScopeAsync();
        var manual = new List<Guid>();
        for (var day = 1; day <= 5; day++)
        {
            manual.Add(await AddRunOfDayAsync(scope, day, "manual"));
            await AddRunOfDayAsync(scope, day, "threshold");
        }

        var path = $"/projects/{scope.ProjectId}/training/history?trigger=manual&limit=2"
            + "&createdFrom=2026-11-02T00:00:00Z&createdBefore=2026-11-05T01:00:00%2B01:00";
        var first = await GetAsync(path);
        var second = await GetAsync($"{path}&after={first.GetProperty("next").GetString()}");

        Assert.Equal(
            [manual[3], manual[2], manual[1]],
            first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray())
                .Select(run => run.GetProperty("id").GetGuid()));
        Assert.Null(second.GetProperty("next").GetString());
    }

    [Fact]
    public async Task A_run_whose_project_the_product_has_deleted_is_shown_with_its_id()
    {
        var scope = await AddScopeAsync();
        var run = await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed);
        await world.Database.ExecuteAsync($"delete from kb.projects where id = '{scope.ProjectId}'", Cancellation);

        var listed = await GetAsync("/fine-tuning/runs?limit=100");
        var details = await GetAsync($"/fine-tuning/runs/{run}");

        Assert.Contains(
            $"{scope.ProjectId}",
            listed.GetProperty("items").EnumerateArray().Select(each => each.GetProperty("projectId").GetString()));
        Assert.Equal(scope.ProjectId, details.GetProperty("run").GetProperty("projectId").GetGuid());
    }

    private async Task<Guid> AddRunOfDayAsync(Scope scope, int day, string trigger)
    {
        var id = await world.AddRunAsync(scope, RunPurpose.Training, RunState.Failed);
        await world.Database.ExecuteAsync(
            $"update ml.training_runs set trigger = '{trigger}', created_at = '2026-11-0{day}T00:00:00Z' where id = '{id}'",
            Cancellation);
        return id;
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=many", "request")]
    [InlineData("after=xyz", "after")]
    [InlineData("after=________________________________", "after")]
    [InlineData("state=running", "state")]
    [InlineData("trigger=chance", "trigger")]
    [InlineData("createdFrom=2026-11-01", "createdFrom")]
    [InlineData("createdFrom=2026-11-01T00:00:00", "createdFrom")]
    [InlineData("createdBefore=yesterday", "createdBefore")]
    [InlineData("projectId=7", "request")]
    public async Task A_wrong_parameter_of_a_list_is_named(string query, string field)
    {
        using var response = await world.SendAsync("GET", $"/fine-tuning/runs?{query}", People.OrganizationAdmin);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task The_timeline_tells_every_state_with_its_reason()
    {
        var scope = await AddScopeAsync();
        await world.Rows.AddExamplesAsync(scope.ProjectId!.Value, 20); // of a project
        using var started = await world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin,
            $$"""{"projectId":"{{scope.ProjectId}}","export":{"minExamples":1,"maxUndecidedShare":1} }""");
        var id = (await ReadAsync(started)).GetProperty("id").GetGuid();
        using var cancelled = await world.SendAsync(
            "POST", $"/fine-tuning/runs/{id}/cancel", People.OrganizationAdmin, """{"reason":"by mistake"}""");
        using var again = await world.SendAsync(
            "POST", $"/fine-tuning/runs/{id}/cancel", People.OrganizationAdmin, """{"reason":"by mistake"}""");

        var run = await GetAsync($"/fine-tuning/runs/{id}");

        Assert.Equal(HttpStatusCode.Accepted, cancelled.StatusCode);
        await ProblemAssert.IsAsync(again, HttpStatusCode.Conflict, "run-over");
        Assert.Equal(
            [("requested", null), ("cancelling", "by mistake")],
            run.GetProperty("timeline").EnumerateArray().Select(
                each => (each.GetProperty("state").GetString(), each.GetProperty("reason").GetString())));
        Assert.Equal(
            "Name of organization-admin", run.GetProperty("run").GetProperty("requestedBy").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_file_comes_whole_or_in_part_with_its_checksum()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        var id = await world.AddExportAsync(await AddScopeAsync(), content);
        var path = $"/training-export/exports/{id}/download/train.jsonl";

        using var whole = await world.SendAsync("GET", path, People.OrganizationAdmin);
        using var part = await world.SendAsync(
            "GET", path, People.OrganizationAdmin, null, ("Range", "bytes=2000000-2000009"));
        using var rest = await world.SendAsync("GET", path, People.OrganizationAdmin, null, ("Range", "bytes=-5"));
        using var changed = await world.SendAsync(
            "GET", path, People.OrganizationAdmin, null, ("Range", "bytes=0-0"), ("If-Range", "\"another\""));
        using var beyond = await world.SendAsync(
            "GET", path, People.OrganizationAdmin, null, ("Range", "bytes=3000000-"));

        Assert.Equal(content, await whole.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"", whole.Headers.ETag?.Tag);
        Assert.Equal((HttpStatusCode.PartialContent, "bytes 2000000-2000009/3000000"), (part.StatusCode, part.Content.Headers.ContentRange?.ToString()));
        Assert.Equal(content[2_000_000..2_000_010], await part.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal(content[^5..], await rest.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.Equal((HttpStatusCode.OK, 3_000_000), (changed.StatusCode, changed.Content.Headers.ContentLength));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }

    [Theory]
    [InlineData("validation.jsonl")]
    [InlineData("..%2fmetadata.json")]
    [InlineData("train.jsonl%00")]
    public async Task A_name_that_is_no_file_of_the_export_is_not_found(string file)
    {
        var id = await world.AddExportAsync(await AddScopeAsync(), "{}\n"u8.ToArray());

        using var response = await world.SendAsync(
            "GET", $"/training-export/exports/{id}/download/{file}", People.OrganizationAdmin);

        Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Files_of_an_export_that_failed_are_refused_with_its_reason()
    {
        var id = await world.AddRunAsync(await AddScopeAsync(), RunPurpose.Export, RunState.Failed, "no bucket");

        using var response = await world.SendAsync(
            "GET", $"/training-export/exports/{id}/download/train.jsonl", People.OrganizationAdmin);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.Conflict, "no-files");
        Assert.Contains("no bucket", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_the_bucket_deleted_is_told_as_such()
    {
        var id = await world.AddExportAsync(await AddScopeAsync(), "{}\n"u8.ToArray());
        await world.Store.DeleteAsync($"folder/{id}/train.jsonl", generation: null, Cancellation);

        using var response = await world.SendAsync(
            "GET", $"/training-export/exports/{id}/download/train.jsonl", People.OrganizationAdmin);

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadGateway, "storage");
    }

    [Fact]
    public async Task Promotion_changes_the_choice_at_once_and_back()
    {
        var scope = await AddScopeAsync();
        var (old, young) = (
            await world.AddModelAsync(scope, ModelStatus.Ready), await world.AddModelAsync(scope, ModelStatus.Deprecated));

        using var promoted = await world.SendAsync(
            "POST", $"/fine-tuning/models/{young}/promote", People.OrganizationAdmin, """{"reason":"better"}""");
        var chosen = await GetAsync($"/model-selection/{scope.ProjectId}");
        using var deprecated = await world.SendAsync(
            "POST", $"/fine-tuning/models/{young}/deprecate", People.OrganizationAdmin, """{"reason":"worse"}""");
        using var twice = await world.SendAsync(
            "POST", $"/fine-tuning/models/{young}/deprecate", People.OrganizationAdmin, """{"reason":"worse"}""");
        var after = await GetAsync($"/model-selection/{scope.ProjectId}");

        Assert.Equal(old, (await ReadAsync(promoted)).GetProperty("replaced").GetGuid());
        Assert.Equal((young, "project"), (chosen.GetProperty("modelId").GetGuid(), chosen.GetProperty("tier").GetString()));
        Assert.Equal(HttpStatusCode.OK, deprecated.StatusCode);
        await ProblemAssert.IsAsync(twice, HttpStatusCode.Conflict, "model-status");
        Assert.NotEqual("project", after.GetProperty("tier").GetString());
        Assert.Equal(
            2, await world.Database.ScalarAsync<int>(
                $"select count(*)::int from ml.audit_log where subject = 'model {young}' and reason in ('better', 'worse')", Cancellation));
    }

    [Fact]
    public async Task A_model_that_was_evaluated_as_worse_is_promoted_with_a_reason_only()
    {
        var scope = await AddScopeAsync();
        var live = await world.AddModelAsync(scope, ModelStatus.Ready);
        var worse = await world.AddModelAsync(scope, ModelStatus.Deprecated);
        await world.ArrangeAsync(
            $$"""
            update ml.fine_tuned_models set verdict = 'worse', verdict_reason = 'entity F1 −0.200' where id = '{{worse}}';
            insert into ml.model_evaluations (
                id, organization_id, model_id, compared_with, dataset_id, subject_model_id, subject_version, base_model, scores,
                comparison, is_reference, scored_at, created_at)
            values (gen_random_uuid(), '{{scope.OrganizationId}}', '{{worse}}', 'live', '{{worse}}', '{{live}}', 1, 'gemini',
                    '{"chunks":30,"validRate":1,"entities":{"correct":1,"answered":2,"expected":3,"precision":0.5,"recall":0.33,"f1":0.4},
                      "entitiesMacroF1":0.4,"byType":{"system":{"correct":1,"answered":2,"expected":3,"precision":0.5,"recall":0.33,"f1":0.4} },
                      "relationships":{"correct":0,"answered":0,"expected":0,"precision":null,"recall":null,"f1":null},
                      "typedRelationships":{"correct":0,"answered":0,"expected":0,"precision":null,"recall":null,"f1":null},
                      "groundingRate":1}',
                    '{"documents":30,"entities":{"difference":-0.2,"low":-0.3,"high":-0.1,"documents":30},"relationships":null,
                      "chunks":30,"readable":30,"otherReadable":30}',
                    true, now(), now())
            """);

        using var silent = await world.SendAsync(
            "POST", $"/fine-tuning/models/{worse}/promote", People.OrganizationAdmin, "{}");
        var details = await GetAsync($"/fine-tuning/models/{worse}");
        using var explained = await world.SendAsync(
            "POST", $"/fine-tuning/models/{worse}/promote", People.OrganizationAdmin, """{"reason":"old documents"}""");

        var refusal = await ProblemAssert.IsAsync(silent, HttpStatusCode.UnprocessableEntity, "reason-needed");
        Assert.Equal("entity F1 −0.200", refusal.GetProperty("verdict").GetString());
        Assert.Equal(
            """{"verdict":"worse","reason":"entity F1 −0.200"}""",
            details.GetProperty("model").GetProperty("verdict").ToString());
        var reference = details.GetProperty("evaluation")[0];
        Assert.Equal((live, true), (reference.GetProperty("modelId").GetGuid(), reference.GetProperty("isReference").GetBoolean()));
        Assert.Equal(-0.3, reference.GetProperty("comparison").GetProperty("entities").GetProperty("low").GetDouble());
        Assert.Equal(
            0.4, reference.GetProperty("scores").GetProperty("byType").GetProperty("system").GetProperty("f1").GetDouble());
        Assert.Equal(live, (await ReadAsync(explained)).GetProperty("replaced").GetGuid());
        Assert.Equal(
            $"model {worse}, evaluated as worse: entity F1 −0.200 (old documents)",
            await world.Database.ScalarAsync<string>(
                $"select subject || ' (' || reason || ')' from ml.audit_log where subject like 'model {worse}%'", Cancellation));
    }

    [Fact]
    public async Task The_live_status_says_so_when_vertex_cannot_be_asked()
    {
        var id = await world.AddModelAsync(await AddScopeAsync(), ModelStatus.Ready);

        var status = await GetAsync($"/fine-tuning/models/{id}/status");

        Assert.Equal("ready", status.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, status.GetProperty("tuningJob").ValueKind);
        Assert.Contains("could not be asked", status.GetProperty("trouble").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statistics_show_a_review_as_soon_as_it_is_saved()
    {
        var scope = await AddScopeAsync();
        await world.Rows.AddExamplesAsync(scope.ProjectId!.Value, 3); // a project's scope
        var before = await GetAsync($"/training-export/stats/{scope.ProjectId}");

        await world.Database.ExecuteAsync(
            $"update kb.graph_objects set status = 'rejected' where id = (select id from kb.graph_objects where project_id = '{scope.ProjectId}' limit 1)",
            Cancellation);
        var after = await GetAsync($"/training-export/stats/{scope.ProjectId}");

        Assert.Equal((6, 0), Counts(before));
        Assert.Equal((5, 1), Counts(after));
        Assert.Equal(3, before.GetProperty("minimum").GetProperty("examples").GetInt32());
        Assert.False(before.GetProperty("minimum").GetProperty("isMet").GetBoolean());

        static (int Verified, int Rejected) Counts(JsonElement answer) => (
            answer.GetProperty("statistics").GetProperty("verified").GetInt32(),
            answer.GetProperty("statistics").GetProperty("rejected").GetInt32());
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("0.855")]
    [InlineData("NaN")]
    public async Task A_threshold_that_is_not_counted_is_refused(string threshold)
    {
        using var response = await world.SendAsync(
            "GET", $"/training-export/stats/{world.Project}?minConfidence={threshold}", People.OrganizationAdmin);

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
    }

    private async Task<Scope> AddScopeAsync() =>
        new(world.Organization, await world.Rows.AddProjectAsync(world.Organization));

    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await world.SendAsync("GET", path, People.OrganizationAdmin);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await ReadAsync(response);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));
}
