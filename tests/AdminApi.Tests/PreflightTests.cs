using System.Net;
using System.Text.Json;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>A check before a start: what it finds, what it leaves behind, and who waits for whom.</summary>
public sealed class PreflightTests(ApiWorld world)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_two_texts_of_which_four_hold_personal_data_are_not_enough_for_fifty()
    {
        var project = await AddProjectAsync(48, withPii: 4);
        var before = await StatisticsAsync(project);

        using var started = await world.SendAsync(
            "POST", "/fine-tuning/train-project", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");
        var report = await CheckAsync("/fine-tuning/preflight", project);
        var after = await StatisticsAsync(project);

        Assert.Equal(52, before.GetProperty("minimum").GetProperty("examples").GetInt32());
        Assert.Equal(JsonValueKind.Null, before.GetProperty("preflight").ValueKind);
        var problem = await ProblemAssert.IsAsync(started, HttpStatusCode.UnprocessableEntity, "too-little-data");
        Assert.Equal((48, 50), (problem.GetProperty("examples").GetInt32(), problem.GetProperty("minimum").GetInt32()));
        Assert.Equal(4, problem.GetProperty("excluded").GetProperty("pii").GetInt32());
        Assert.Contains("Left out: 4 pii.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.False(report.GetProperty("wouldStart").GetBoolean());
        Assert.Equal("too_little_data", report.GetProperty("refusals")[0].GetProperty("kind").GetString());
        var kept = after.GetProperty("preflight");
        Assert.Equal(
            (false, true, true, 48),
            (kept.GetProperty("isEnough").GetBoolean(), kept.GetProperty("isCurrent").GetBoolean(),
                kept.GetProperty("isOfTheseSettings").GetBoolean(), kept.GetProperty("examples").GetInt32()));
        Assert.Equal("0 0 0 0 1", await TracesAsync(project));
    }

    [Fact]
    public async Task What_is_enough_is_so_until_something_changes_and_for_its_settings_only()
    {
        var project = await AddProjectAsync(52, withPii: 1);

        var report = await CheckAsync("/fine-tuning/preflight", project);
        var now = (await StatisticsAsync(project)).GetProperty("preflight");
        var other = (await StatisticsAsync(project, "?minConfidence=0.9")).GetProperty("preflight");
        await world.Rows.AddExamplesAsync(project, 1);
        var later = (await StatisticsAsync(project)).GetProperty("preflight");

        Assert.True(report.GetProperty("wouldStart").GetBoolean(), report.ToString());
        Assert.Equal((true, true, true), Flags(now));
        Assert.Equal((true, true, false), Flags(other));
        Assert.Equal((true, false, true), Flags(later));
        Assert.Equal(now.GetProperty("checkedAt").GetString(), later.GetProperty("checkedAt").GetString());
    }

    [Fact]
    public async Task A_training_is_checked_to_the_request_that_it_would_send_and_nothing_is_left()
    {
        var project = await AddProjectAsync(60, withPii: 0);
        using var bucket = GcsDatasetStore.CreateService(world.Storage.Address, credential: null);

        var training = await CheckAsync("/fine-tuning/preflight", project);
        var export = await CheckAsync("/training-export/preflight", project);

        var tuning = training.GetProperty("tuning");
        var job = tuning.GetProperty("request").GetProperty("tuningJob");
        Assert.Equal("gemini-3.1-flash-lite", job.GetProperty("baseModel").GetString());
        Assert.Equal("{run}", job.GetProperty("labels").GetProperty("run").GetString());
        Assert.StartsWith(
            $"gs://datasets/orgs/{world.Organization}/projects/{project}/v{{time}}/e{{claim}}/attempts/1/",
            job.GetProperty("supervisedTuningSpec").GetProperty("trainingDatasetUri").GetString(), StringComparison.Ordinal);
        Assert.True(tuning.GetProperty("estimatedUsd").GetDecimal() > 0);
        Assert.Equal(JsonValueKind.Null, export.GetProperty("tuning").ValueKind);
        Assert.Equal(1, export.GetProperty("minimum").GetInt32());
        Assert.True(JsonElement.DeepEquals(training.GetProperty("files"), export.GetProperty("files")));

        // Vertex AI and IAM are at an address where nobody answers: whatever had been called would have failed.
        Assert.Null((await bucket.Objects.List("datasets").ExecuteAsync(Cancellation)).Items?
            .FirstOrDefault(file => file.Name.Contains(project.ToString(), StringComparison.Ordinal)));
        Assert.Equal("0 0 0 0 1", await TracesAsync(project));
    }

    [Fact]
    public async Task A_live_run_a_base_model_and_too_little_data_are_all_named()
    {
        var project = await AddProjectAsync(3, withPii: 0);
        var live = await world.AddRunAsync(new Scope(world.Organization, project), RunPurpose.Training, RunState.Requested);

        var report = await CheckAsync("/fine-tuning/preflight", project, ""","tuning":{"baseModel":"gemini-2.5-flash"}""");

        Assert.Equal(
            ["live_run", "too_little_data", "base_model"],
            report.GetProperty("refusals").EnumerateArray().Select(each => each.GetProperty("kind").GetString()));
        Assert.Equal(live, report.GetProperty("liveRun").GetProperty("id").GetGuid());
    }

    [Theory]
    [InlineData("""{"projectId":"PROJECT","export":{"minConfidence":2}}""")]
    [InlineData("""{"projectId":"PROJECT","organizationId":"PROJECT"}""")]
    [InlineData("{}")]
    public async Task What_a_start_would_not_take_is_not_checked(string body)
    {
        using var response = await world.SendAsync(
            "POST", "/fine-tuning/preflight", People.OrganizationAdmin,
            body.Replace("PROJECT", $"{world.Project}", StringComparison.Ordinal));

        await ProblemAssert.IsAsync(response, HttpStatusCode.BadRequest, "invalid-request");
    }

    [Fact]
    public async Task A_check_that_takes_too_long_is_given_up_and_the_start_is_left_to_its_export()
    {
        await using var slow = await SlowWorld.StartAsync(world, new()
        {
            ["AdminApi:PreflightTimeLimit"] = "00:00:01",
        });

        using var check = await slow.CheckAsync(Cancellation);
        using var start = await slow.SendAsync("/fine-tuning/train-project", Cancellation);

        await ProblemAssert.IsAsync(check, HttpStatusCode.UnprocessableEntity, "preflight-time");
        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
    }

    [Fact]
    public async Task A_start_on_more_extractions_than_it_checks_is_left_to_its_export()
    {
        var project = await AddProjectAsync(48, withPii: 4);
        await using var api = await world.StartApiAsync(
            new Dictionary<string, string?> { ["AdminApi:StartCheckExtractions"] = "51" });

        using var start = await world.SendAsync(
            api, "POST", "/fine-tuning/train-project", People.OrganizationAdmin, $$"""{"projectId":"{{project}}"}""");

        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
        Assert.Equal("1 0 1 1 0", await TracesAsync(project));
    }

    [Fact]
    public async Task A_client_that_goes_away_takes_its_reading_along_and_leaves_its_place()
    {
        await using var slow = await SlowWorld.StartAsync(world, new() { ["AdminApi:MaxConcurrentPreflights"] = "1" });
        using var client = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var first = slow.CheckAsync(client.Token);
        await slow.WaitForReadersAsync(atLeast: true);

        using var second = await slow.CheckAsync(Cancellation);
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await slow.WaitForReadersAsync(atLeast: false);
        await slow.UnlockAsync();
        using var third = await slow.CheckAsync(Cancellation);

        await ProblemAssert.IsAsync(second, HttpStatusCode.TooManyRequests, "rate-limit");
        Assert.True(second.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    private static (bool IsEnough, bool IsCurrent, bool IsOfTheseSettings) Flags(JsonElement preflight) => (
        preflight.GetProperty("isEnough").GetBoolean(), preflight.GetProperty("isCurrent").GetBoolean(),
        preflight.GetProperty("isOfTheseSettings").GetBoolean());

    private async Task<Guid> AddProjectAsync(int count, int withPii)
    {
        var project = await world.Rows.AddProjectAsync(world.Organization);
        await world.Rows.AddTrainingTextsAsync(project, Enumerable.Range(0, count).Select(i => $"The Ledger {i} books payments."));
        await world.Rows.AddTrainingTextsAsync(
            project, Enumerable.Range(0, withPii).Select(i => $"Ledger {i}: write to jo.miller{i}@example.com."));
        return project;
    }

    private async Task<JsonElement> CheckAsync(string route, Guid project, string more = "")
    {
        using var response = await world.SendAsync(
            "POST", route, People.OrganizationAdmin, $$"""{"projectId":"{{project}}"{{more}}}""");
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    private async Task<JsonElement> StatisticsAsync(Guid project, string query = "")
    {
        using var response = await world.SendAsync(
            "GET", $"/training-export/stats/{project}{query}", People.OrganizationAdmin);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync(Cancellation));
    }

    // Runs, datasets, messages, audit entries; and the preflight that is kept.
    private Task<string> TracesAsync(Guid project) => world.Database.ScalarAsync<string>(
        $"""
        select concat_ws(' ',
            (select count(*) from ml.training_runs where project_id = '{project}'),
            (select count(*) from ml.datasets where project_id = '{project}'),
            (select count(*) from ml.outbox o join ml.training_runs r on r.id = o.run_id where r.project_id = '{project}'),
            (select count(*) from ml.audit_log where project_id = '{project}'),
            (select count(*) from ml.preflights where project_id = '{project}'))
        """,
        Cancellation);

    /// <summary>An API of its own on a database of its own, whose relationships nobody can read until it is unlocked.</summary>
    private sealed class SlowWorld(
        ApiWorld world, TestDatabase database, FunctionHost api, Guid project, Npgsql.NpgsqlConnection holder) : IAsyncDisposable
    {
        private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(5) };

        public static async Task<SlowWorld> StartAsync(ApiWorld world, Dictionary<string, string?> settings)
        {
            var database = await world.CreateDatabaseAsync(Cancellation);
            var rows = new KnowledgeRows(database.Database);
            var organization = await rows.AddOrganizationAsync();
            var project = await rows.AddProjectAsync(organization);
            await rows.AddExamplesAsync(project, 60);
            await database.ExecuteAsync(
                $"""
                insert into core.user_profiles (zitadel_user_id, display_name) values ('{People.OrganizationAdmin}', 'Olivia');
                insert into kb.organization_memberships (organization_id, user_id, role)
                select '{organization}', id, 'org_admin' from core.user_profiles
                """,
                Cancellation);
            settings["Database:ConnectionString"] = database.ApiConnectionString;
            var api = await world.StartApiAsync(settings);
            var holder = await database.Admin.OpenConnectionAsync(Cancellation);
            await using (var command = new Npgsql.NpgsqlCommand("begin; lock table kb.graph_relationships", holder))
            {
                await command.ExecuteNonQueryAsync(Cancellation);
            }

            return new(world, database, api, project, holder);
        }

        public Task<HttpResponseMessage> CheckAsync(CancellationToken cancellationToken) =>
            SendAsync("/fine-tuning/preflight", cancellationToken);

        public async Task<HttpResponseMessage> SendAsync(string path, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(api.Address, "/api" + path));
            request.Headers.Authorization = new("Bearer", world.Issuer.IssueAccessToken(People.OrganizationAdmin));
            request.Content = new StringContent(
                $$"""{"projectId":"{{project}}"}""", System.Text.Encoding.UTF8, "application/json");
            return await _http.SendAsync(request, cancellationToken);
        }

        public async Task WaitForReadersAsync(bool atLeast)
        {
            while (await database.ScalarAsync<bool>(
                "select exists (select from pg_locks where relation = 'kb.graph_relationships'::regclass and not granted)", Cancellation)
                != atLeast)
            {
                await Task.Delay(50, Cancellation);
            }
        }

        public async Task UnlockAsync()
        {
            await using var command = new Npgsql.NpgsqlCommand("rollback", holder);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await holder.DisposeAsync();
            await api.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
