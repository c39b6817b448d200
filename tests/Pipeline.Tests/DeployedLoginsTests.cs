using System.Net.Http.Headers;
using FeedbackLoop.Local;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>
/// The chain with the logins that <c>infra/database/logins.sql</c> makes, so that a right which a step needs and they lack is
/// seen here and not in a deployment; and <c>infra/database/forget-organization.sql</c> on what it leaves.
/// </summary>
public sealed class DeployedLoginsTests(PostgresFixture postgres)
{
    private const string Project = "retail-banking";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_enough_for_every_step_and_an_organization_is_forgotten_to_its_last_row_and_no_other()
    {
        Assert.SkipWhen(Psql.Find() is null, Psql.Missing);
        using var errors = new KeptErrors();
        await using var chain = await Chain.StartAsync(
            postgres, logging: logging => logging.AddProvider(errors), prepare: CreateLoginsAsync);
        await using var worker = NpgsqlDataSource.Create(As(chain.Database, "feedback_loop_worker"));
        var project = await chain.Database.ScalarAsync<Guid>($"select id from kb.projects where name = '{Project}'", Stop);
        await LocalPeople.AddMissingAsync(chain.Database.ConnectionString, Stop);
        await SaveAsync(worker, new Scope(chain.Organization, null), new() { Enabled = true, NotifyProjectAdmins = true });
        await SaveAsync(worker, new Scope(chain.Organization, project), new() { Enabled = true, RetrainOnGeneralUpdate = true });

        // The API, export, train, poll, evaluation, registry; then the general model wakes the project's schedule.
        Assert.Equal(RunState.Succeeded, (await chain.RunToEndAsync(await chain.PostRunAsync())).State);
        await chain.Local.TickSchedulesAsync(Stop);
        Assert.Equal(RunState.Succeeded, (await chain.RunToEndAsync(await chain.WaitForRunAsync(RunTrigger.GeneralUpdate))).State);
        var job = await chain.AddExtractionJobAsync();
        await chain.Local.RequestExtractionAsync(job, Stop);
        await chain.WaitForExtractionAsync(job);
        foreach (var path in (string[])
            [
                "me", $"training-export/stats/{project}", $"organizations/{chain.Organization}/training/stats",
                $"training-export/exports?organizationId={chain.Organization}", $"fine-tuning/runs?organizationId={chain.Organization}",
                $"projects/{project}/training/history", $"projects/{project}/training/schedule",
                $"organizations/{chain.Organization}/training/schedule", $"fine-tuning/models?organizationId={chain.Organization}",
                $"model-selection/{project}?prompt=true", $"metrics/extraction?projectId={project}",
            ])
        {
            await GetAsync(chain, path);
        }

        await ConfirmEmptyAsync(chain);
        foreach (var path in (string[])["fine-tuning/preflight", "training-export/preflight"])
        {
            await PostAsync(chain, path, $$"""{"projectId":"{{project}}"}""");
            await PostAsync(chain, path, $$"""{"organizationId":"{{chain.Organization}}"}""");
        }

        Assert.Empty(errors.All);
        Assert.Empty(chain.Local.PubSub!.DeadLetters);
        Assert.Equal("requires_review", await chain.Database.ScalarAsync<string>(
            $"select status from kb.object_extraction_jobs where id = '{job}'", Stop));
        Assert.True(await chain.Database.ScalarAsync<long>("select count(*) from kb.notifications", Stop) > 0);

        await AssertForgetsAsync(chain, worker);
    }

    private static async Task AssertForgetsAsync(Chain chain, NpgsqlDataSource worker)
    {
        var other = await chain.Database.AddOrganizationAsync(Stop);
        await using (var db = await worker.OpenConnectionAsync(Stop))
        {
            await RequestAsync(db, new Scope(chain.Organization, null));
            await RequestAsync(db, new Scope(other, null));
        }

        // So far the log of changes has been folded into the counts.
        await chain.Local.PubSub!.WaitUntilIdleAsync(Stop);
        await chain.Database.ExecuteAsync("update kb.graph_objects set status = 'rejected'", Stop);
        await SaveAsync(worker, new Scope(other, null), new() { Enabled = true });
        await AddRareRowsAsync(chain);
        var rows = await CountRowsAsync(chain, other);
        string[] organization = [$"organization={chain.Organization}"];

        var (status, refused) = await Psql.RunAsync(
            chain.Database.Admin.ConnectionString, "forget-organization.sql", organization, Stop);
        Assert.NotEqual(0, status);
        Assert.Contains("Refused: runs that are not over: 1", refused, StringComparison.Ordinal);
        Assert.All(await CountRowsAsync(chain, chain.Organization), table => Assert.True(table.Value > 0, $"ml.{table.Key} is empty"));

        await chain.Database.ExecuteAsync(
            $"""
            update ml.training_runs
            set    state = 'failed', reason = 'for the test', ended_at = clock_timestamp()
            where  organization_id = '{chain.Organization}' and not ml.run_is_final(state)
            """,
            Stop);
        var (exitCode, printed) = await Psql.RunAsync(
            chain.Database.Admin.ConnectionString, "forget-organization.sql", organization, Stop);

        Assert.True(exitCode == 0, printed);
        Assert.Contains($"gs://{LocalChain.Bucket}/orgs/{chain.Organization}/general/", printed, StringComparison.Ordinal);
        Assert.All(chain.Local.Vertex.Jobs, job => Assert.Contains(job.Name, printed, StringComparison.Ordinal));
        Assert.All(await CountRowsAsync(chain, chain.Organization), table => Assert.Equal(0, table.Value));
        Assert.Equal(rows, await CountRowsAsync(chain, other));
    }

    // What a day without faults, stops and wishes to forget leaves empty.
    private static Task AddRareRowsAsync(Chain chain) => chain.Database.ExecuteAsync(
        $"""
        insert into ml.forgotten_documents (document_id, organization_id, requested_by, reason, requested_at, next_look_at)
        values ('{Guid.NewGuid()}', '{chain.Organization}', 'tester', 'asked for', now(), now());
        insert into ml.objects_to_delete (organization_id, document_id, uri, at)
        values ('{chain.Organization}', '{Guid.NewGuid()}', 'gs://datasets/left.jsonl', now());
        insert into ml.model_taints (model_id, document_id, organization_id, cause, since)
        select id, gen_random_uuid(), organization_id, 'deleted', now()
        from   ml.fine_tuned_models
        where  organization_id = '{chain.Organization}';
        insert into ml.unrecorded_exports (run_id, epoch, organization_id, uri, begun_at, next_look_at)
        select id, 0, organization_id, 'gs://datasets/left/', now(), now()
        from   ml.training_runs
        where  organization_id = '{chain.Organization}';
        insert into ml.waiting_extractions (job_id, organization_id, project_id, since)
        select gen_random_uuid(), organization_id, id, now()
        from   kb.projects
        where  organization_id = '{chain.Organization}';
        """,
        Stop);

    private static async Task<(string Worker, string Api)> CreateLoginsAsync(TestDatabase database)
    {
        var (exitCode, output) = await Psql.RunAsync(
            database.Admin.ConnectionString, "logins.sql", ["api=feedback_loop_api", "worker=feedback_loop_worker"], Stop);
        Assert.True(exitCode == 0, output);
        return (As(database, "feedback_loop_worker"), As(database, "feedback_loop_api"));
    }

    private static string As(TestDatabase database, string login) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = login }.ConnectionString;

    private static async Task GetAsync(Chain chain, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(chain.Local.Api.Address, "/api/" + path));
        await SendAsync(chain, request);
    }

    private static async Task PostAsync(Chain chain, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(chain.Local.Api.Address, "/api/" + path));
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        await SendAsync(chain, request);
    }

    private static async Task SendAsync(Chain chain, HttpRequestMessage request)
    {
        using var http = new HttpClient();
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", chain.Local.Identity.IssueAccessToken(LocalPeople.OrganizationAdmin));
        using var response = await http.SendAsync(request, Stop);
        Assert.True(response.IsSuccessStatusCode, $"{request.Method} {request.RequestUri}: {await response.Content.ReadAsStringAsync(Stop)}");
    }

    private static async Task ConfirmEmptyAsync(Chain chain)
    {
        var job = await chain.Database.ScalarAsync<Guid>(
            """
            select j.id
            from   kb.object_extraction_jobs j
            where  j.status = 'completed'
            and    not exists (select from kb.graph_objects o where o.extraction_job_id = j.id)
            """,
            Stop);
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Delete, HttpMethod.Post])
        {
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(
                method, new Uri(chain.Local.Api.Address, $"/api/extraction-jobs/{job}/confirmed-empty"));
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Bearer", chain.Local.Identity.IssueAccessToken(LocalPeople.OrganizationAdmin));
            using var response = await http.SendAsync(request, Stop);
            Assert.True(response.IsSuccessStatusCode, $"{method}: {await response.Content.ReadAsStringAsync(Stop)}");
        }
    }

    private static async Task SaveAsync(NpgsqlDataSource worker, Scope scope, ScheduleSettings settings)
    {
        await using var db = await worker.OpenConnectionAsync(Stop);
        Assert.IsType<ScheduleChangeOutcome.Saved>(await db.SaveScheduleAsync(
            scope, settings, expectedVersion: null, "user:tester", TimeProvider.System.GetUtcNow(), Stop));
    }

    private static async Task RequestAsync(NpgsqlConnection db, Scope scope) =>
        Assert.IsType<RunRequestOutcome.Accepted>(await db.RequestRunAsync(
            new RunRequest(
                scope, RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default,
                new IdempotencyKey("key", new byte[32])),
            TimeProvider.System.GetUtcNow(), Stop));

    /// <summary>Of every table of <c>ml</c> that knows organizations.</summary>
    private static async Task<SortedDictionary<string, long>> CountRowsAsync(Chain chain, Guid organization)
    {
        var tables = await chain.Database.ScalarAsync<string[]>(
            """
            select array_agg(c.relname::text)
            from   pg_class c
            join   pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
            where  c.relnamespace = 'ml'::regnamespace
            and    c.relkind = 'r'
            """,
            Stop);
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            counts[table] = await chain.Database.ScalarAsync<long>(
                $"select count(*) from ml.{table} where organization_id = '{organization}'", Stop);
        }

        return counts;
    }
}
