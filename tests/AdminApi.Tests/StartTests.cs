using System.Net;
using System.Text.Json;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>Starting work: one commit of row, audit entry and message, once per key, never beside a live run.</summary>
public sealed class StartTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_export_is_accepted_with_row_audit_entry_and_message()
    {
        var project = await AddProjectAsync();

        using var response = await StartExportAsync(project);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var started = await ReadAsync(response);
        var id = started.GetProperty("id").GetGuid();
        Assert.Equal($"/api/training-export/exports/{id}", response.Headers.Location?.ToString());
        Assert.Equal(
            "requested export user start-export export-requested",
            await world.Database.ScalarAsync<string>(
                $"""
                select concat_ws(' ', r.state, r.purpose, split_part(r.requested_by, ':', 1), a.action, o.topic)
                from   ml.training_runs r
                join   ml.audit_log a on a.subject = 'run ' || r.id
                join   ml.outbox o on o.run_id = r.id
                where  r.id = '{id}'
                """,
                Cancellation));
        Assert.Contains(id.ToString(), string.Join(' ', world.Published.Messages.Select(message => message.Payload)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_location_has_no_prefix_when_the_request_had_none()
    {
        var project = await AddProjectAsync();

        using var response = await world.SendAsync(
            "POST", "/../training-export/export", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");

        Assert.StartsWith("/training-export/exports/", response.Headers.Location?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_key_and_body_get_the_same_answer_and_one_run()
    {
        var project = await AddProjectAsync();
        var body = $$"""{"projectId":"{{project}}","export":{"seed":7} }""";

        var answers = new List<string>();
        foreach (var sent in (string[])[body, body, $$"""{ "export": {"seed": 7}, "projectId": "{{project}}" }"""])
        {
            using var response = await StartExportAsync(project, sent, key: "the-key");
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            answers.Add(await response.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(1, await CountRunsAsync(project));
    }

    [Fact]
    public async Task The_same_request_twenty_times_at_once_makes_one_run()
    {
        var project = await AddProjectAsync();
        var key = Guid.NewGuid().ToString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var response = await StartExportAsync(project, key: key);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        }));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode));
        Assert.Single(answers.Distinct());
        Assert.Equal(1, await CountRunsAsync(project));
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused()
    {
        var project = await AddProjectAsync();
        var key = Guid.NewGuid().ToString();
        using var first = await StartExportAsync(project, key: key);

        using var second = await StartExportAsync(
            project, $$"""{"projectId":"{{project}}","export":{"seed":8} }""", key);

        var problem = await ProblemAssert.IsAsync(second, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
        Assert.Equal((await ReadAsync(first)).GetProperty("id").GetGuid(), problem.GetProperty("runId").GetGuid());
    }

    [Fact]
    public async Task The_same_key_with_another_body_of_the_same_length_is_refused()
    {
        var project = await AddProjectAsync();
        var key = Guid.NewGuid().ToString();
        using var first = await StartExportAsync(
            project, $$"""{"projectId":"{{project}}","export":{"seed":7} }""", key);

        using var second = await StartExportAsync(
            project, $$"""{"projectId":"{{project}}","export":{"seed":8} }""", key);

        Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
        await ProblemAssert.IsAsync(second, HttpStatusCode.UnprocessableEntity, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_key_belongs_to_its_person()
    {
        var (one, other) = (await AddProjectAsync(), await world.Rows.AddProjectAsync(world.OtherOrganization));
        var key = Guid.NewGuid().ToString();
        using var first = await StartExportAsync(one, key: key);

        using var second = await world.SendAsync(
            "POST", "/training-export/export", People.Outsider, $$"""{"projectId":"{{other}}"}""", ("Idempotency-Key", key));

        Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        Assert.NotEqual((await ReadAsync(first)).GetProperty("id"), (await ReadAsync(second)).GetProperty("id"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("201")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        var sent = key == "201" ? new string('k', 201) : key;

        using var response = await StartExportAsync(await AddProjectAsync(), key: sent);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.True(problem.GetProperty("errors").TryGetProperty("Idempotency-Key", out _));
    }

    [Fact]
    public async Task A_second_start_names_the_live_run()
    {
        var project = await AddProjectAsync();
        using var first = await StartExportAsync(project);

        using var second = await StartExportAsync(project);

        var problem = await ProblemAssert.IsAsync(second, HttpStatusCode.Conflict, "run-live");
        Assert.Equal((await ReadAsync(first)).GetProperty("id").GetGuid(), problem.GetProperty("runId").GetGuid());
        Assert.Equal(RunState.Requested, problem.GetProperty("state").GetString());
        Assert.Equal((await ReadAsync(first)).GetProperty("href").GetString(), problem.GetProperty("href").GetString());
    }

    [Fact]
    public async Task A_training_does_not_wait_for_an_export()
    {
        var project = await AddProjectAsync();
        await world.Rows.AddExamplesAsync(project, 60);
        using var export = await StartExportAsync(project);

        using var training = await TrainAsync(project);

        Assert.Equal(HttpStatusCode.Accepted, training.StatusCode);
        Assert.Equal(2, await CountRunsAsync(project));
    }

    [Theory]
    [InlineData(RunState.Tuning, true, 1)]
    [InlineData(RunState.Evaluating, true, null)]
    [InlineData(RunState.Requested, false, 1)]
    [InlineData(RunState.NeedsOperator, false, null)]
    public async Task A_project_does_not_wait_for_its_general_model_and_its_start_says_so(
        string state, bool isOnItsWay, int? version)
    {
        var organization = new Scope(await world.AddOrganizationAsync(), null);
        var project = await world.Rows.AddProjectAsync(organization.OrganizationId);
        await world.Rows.AddExamplesAsync(project, 60);
        if (version is not null)
        {
            await world.AddModelAsync(organization, ModelStatus.Ready);
        }

        var general = await world.AddRunAsync(organization, RunPurpose.Training, state);

        using var check = await world.SendAsync(
            "POST", "/fine-tuning/preflight", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");
        using var start = await TrainAsync(project);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Accepted), (check.StatusCode, start.StatusCode));
        Assert.True((await ReadAsync(check)).GetProperty("wouldStart").GetBoolean());
        var started = await ReadAsync(start);
        Assert.All(
            [(await ReadAsync(check)).GetProperty("generalTraining"), started.GetProperty("generalTraining")],
            told => Assert.Equal(
                isOnItsWay
                    ? (general.ToString(), state, version, "gemini-3.1-flash-lite")
                    : default((string?, string?, int?, string?)),
                told.ValueKind == JsonValueKind.Null
                    ? default
                    : (told.GetProperty("runId").GetString(), told.GetProperty("state").GetString(),
                        told.GetProperty("parentModelVersion").Deserialize<int?>(), told.GetProperty("baseModel").GetString())));
        Assert.Equal(1, await CountRunsAsync(project));
        Assert.EndsWith(started.GetProperty("href").GetString()!, start.Headers.Location?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_little_data_is_refused_with_the_numbers()
    {
        var project = await AddProjectAsync();
        await world.Rows.AddExamplesAsync(project, 12);

        using var response = await TrainAsync(project);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.UnprocessableEntity, "too-little-data");
        Assert.Equal((12, 50), (problem.GetProperty("examples").GetInt32(), problem.GetProperty("minimum").GetInt32()));
        Assert.Equal(0, await CountRunsAsync(project));
    }

    [Fact]
    public async Task The_callers_own_minimum_counts()
    {
        var project = await AddProjectAsync();
        await world.Rows.AddTrainingTextsAsync(project, Enumerable.Range(0, 12).Select(i => $"The Ledger {i} books payments."));

        using var response = await TrainAsync(project, """{"minExamples":12}""");

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task A_base_model_that_cannot_be_tuned_is_refused_with_its_successor()
    {
        using var response = await TrainAsync(
            await AddProjectAsync(), tuning: """{"baseModel":"gemini-2.5-flash"}""");

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.UnprocessableEntity, "base-model");
        Assert.Contains("gemini-3.5-flash", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export", """{"minConfidence":1.5}""", "export.minConfidence must be from 0 to 1, and is 1.5")]
    [InlineData("export", """{"maxTokens":0}""", "export.maxTokens must be from 100 to 1000000, and is 0")]
    [InlineData("export", """{"validationShare":0.5}""", "export.validationShare must be from 0 to 0.23, and is 0.5")]
    [InlineData("tuning", """{"epochs":0}""", "tuning.epochs must be from 1 to 100, and is 0")]
    [InlineData("tuning", """{"adapterSize":3}""", "tuning.adapterSize must be one of 1, 2, 4, 8, 16, and is 3")]
    [InlineData("tuning", """{"learningRateMultiplier":100}""", "tuning.learningRateMultiplier must be from 0.001 to 10, and is 100")]
    [InlineData("tuning", """{"baseModel":"a\u0000b"}""", "tuning.baseModel must be 1 to 100 printable ASCII characters without spaces, and has 3")]
    public async Task A_field_out_of_range_is_named_with_limit_and_value(string part, string value, string words)
    {
        using var response = part == "export"
            ? await TrainAsync(world.Sibling, value)
            : await TrainAsync(world.Sibling, tuning: value);

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        var error = Assert.Single(problem.GetProperty("errors").EnumerateObject());
        Assert.Equal(words, error.Value[0].GetString());
    }

    [Theory]
    [InlineData("""{"projectId":"PROJECT","unknown":1}""", "unknown")]
    [InlineData("""{"projectId":"PROJECT","projectId":"PROJECT"}""", "projectId")]
    [InlineData("""{"ProjectId":"PROJECT"}""", "ProjectId")]
    [InlineData("""{"projectId":"PROJECT","tuning":{"epochs":"3"}}""", "tuning.epochs")]
    [InlineData("""{"projectId":"PROJECT","export":{"pii":7}}""", "export.pii")]
    [InlineData("""{"projectId":7}""", "projectId")]
    [InlineData("""{"projectId":"PROJECT",}""", "body")]
    [InlineData("""{}""", "body")]
    [InlineData("""null""", "request")]
    [InlineData("", "request")]
    public async Task A_body_that_is_not_exactly_right_is_refused(string body, string field)
    {
        using var response = await world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin,
            body.Replace("PROJECT", world.Sibling.ToString(), StringComparison.Ordinal));

        var problem = await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_body_of_more_than_64_KiB_is_refused()
    {
        using var response = await world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin,
            $$"""{"projectId":"{{world.Sibling}}","tuning":{"baseModel":"{{new string('x', 70_000)}}"} }""");

        await ProblemAssert.IsAsync(response, HttpStatusCode.RequestEntityTooLarge, "http");
    }

    private async Task<Guid> AddProjectAsync() => await world.Rows.AddProjectAsync(world.Organization);

    private Task<HttpResponseMessage> StartExportAsync(Guid project, string? body = null, string? key = null) =>
        world.SendAsync(
            "POST", "/training-export/export", People.OrganizationAdmin, body ?? $$"""{"projectId":"{{project}}"}""",
            key is null ? [] : [("Idempotency-Key", key)]);

    private Task<HttpResponseMessage> TrainAsync(Guid project, string export = "null", string tuning = "null") =>
        world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin,
            $$"""{"projectId":"{{project}}","export":{{export}},"tuning":{{tuning}} }""");

    private Task<int> CountRunsAsync(Guid project) => world.Database.ScalarAsync<int>(
        $"select count(*)::int from ml.training_runs where project_id = '{project}'", Cancellation);

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));
}
