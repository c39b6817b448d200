using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Dapper;
using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Local;
using FeedbackLoop.Local.PubSub;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Testing;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>The whole chain over a database with the sample, with a clock that a test can move and points to stop at.</summary>
internal sealed class Chain : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pipeline-tests-");

    private int _deaths;

    private Chain(TestDatabase database) => Database = database;

    public TestDatabase Database { get; }

    public LocalChain Local { get; private set; } = null!;

    public Failpoints Failpoints { get; } = new();

    public Guid Organization { get; private set; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="schedulerTime">By which Cloud Scheduler ticks; without it, the test does.</param>
    /// <param name="prepare">Makes other logins for the functions, and returns their connection strings.</param>
    /// <param name="jobRunning">How long a tuning job takes; without it, so short that the first look may find its end.</param>
    /// <param name="jobTime">By which it takes so long.</param>
    public static async Task<Chain> StartAsync(
        PostgresFixture postgres, TimeProvider? schedulerTime = null, TimeSpan? jobRunning = null,
        TimeProvider? jobTime = null,
        IReadOnlyDictionary<string, string?>? settings = null, Action<ILoggingBuilder>? logging = null,
        Func<TestDatabase, Task<(string Worker, string Api)>>? prepare = null)
    {
        var chain = new Chain(await postgres.CreateDatabaseAsync(Cancellation));
        var (worker, api) = prepare is null
            ? (chain.Database.ConnectionString, chain.Database.ApiConnectionString)
            : await prepare(chain.Database);
        var report = await new KnowledgeImport(chain.Database.Database, TimeProvider.System).ImportFileAsync(
            Path.Combine(AppContext.BaseDirectory, "sample.jsonl"), "sample", new ImportOptions(), null, Cancellation);
        chain.Organization = report.OrganizationId;
        chain.Local = await LocalChain.StartAsync(
            new()
            {
                ConnectionString = worker,
                ApiConnectionString = api,
                DataDirectory = chain._directory.FullName,
                // A push may take a minute before it is delivered again, and waits a tenth of a second.
                PubSub = new PubSubOptions { AckDeadlineScale = 0.1, BackoffScale = 0.01 },
                TickJobs = schedulerTime is null ? [] : TickJob.All,
                SchedulerTime = schedulerTime ?? TimeProvider.System,
                JobPending = TimeSpan.FromMilliseconds(jobTime is null ? 20 : 0),
                JobRunning = jobRunning ?? TimeSpan.FromMilliseconds(50),
                JobTime = jobTime ?? TimeProvider.System,
                ExtraStartup = new FailpointStartup(chain.Failpoints),
                Logging = logging ?? (_ => { }),
                Settings = new Dictionary<string, string?>(settings ?? new Dictionary<string, string?>())
                {
                    ["Tuning:PollDelays:0"] = "00:00:00.100",
                    ["Tuning:PollDelays:1"] = "00:00:00.100",
                    ["Tuning:PollDelays:2"] = "00:00:00.100",
                    ["Tuning:PollDelays:3"] = "00:00:00.100",
                    ["Export:ProgressInterval"] = "00:00:00.050",
                },
            },
            Cancellation);
        return chain;
    }

    /// <summary>Asks for a run of the organization, or of its project of that name.</summary>
    public async Task<RunId> RequestAsync(string? project)
    {
        await using var db = await Database.Database.OpenConnectionAsync(Cancellation);
        var projectId = project is null ? (Guid?)null : await db.QuerySingleAsync<Guid>(new CommandDefinition(
            "select id from kb.projects where organization_id = @Organization and name = @project",
            new { Organization, project }, cancellationToken: Cancellation));
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                new Scope(Organization, projectId), RunPurpose.Training, RunTrigger.Manual, "test", RunParameters.Default,
                Key: null),
            TimeProvider.System.GetUtcNow(), Cancellation);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    /// <summary>Asks for a run of the organization as its admin does, over HTTP.</summary>
    public async Task<RunId> PostRunAsync()
    {
        await LocalPeople.AddMissingAsync(Database.ConnectionString, Cancellation);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(Local.Api.Address, "/api/fine-tuning/train-general"));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", Local.Identity.IssueAccessToken(LocalPeople.OrganizationAdmin));
        request.Content = new StringContent(
            $$"""{"organizationId":"{{Organization}}"}""", Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request, Cancellation);
        var answer = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, answer);
        return new RunId(JsonDocument.Parse(answer).RootElement.GetProperty("id").GetGuid());
    }

    /// <summary>A job for a new document with the longest text that the organization has.</summary>
    public Task<Guid> AddExtractionJobAsync() => Database.ScalarAsync<Guid>(
        $"""
        with source as (
            select d.project_id, c.text
            from   kb.chunks c
            join   kb.documents d on d.id = c.document_id
            join   kb.projects p on p.id = d.project_id and p.organization_id = '{Organization}'
            order  by length(c.text) desc, c.id
            limit  1
        ),
        document as (
            insert into kb.documents (project_id, filename) select project_id, 'new.txt' from source returning id, project_id
        ),
        chunk as (
            insert into kb.chunks (document_id, chunk_index, text)
            select d.id, 0, s.text from document d cross join source s returning id
        )
        insert into kb.object_extraction_jobs (project_id, document_id, chunk_id)
        select d.project_id, d.id, c.id from document d cross join chunk c
        returning id
        """,
        Cancellation);

    /// <summary>Waits for the end of an extraction job.</summary>
    public Task WaitForExtractionAsync(Guid job) => Patience.UntilAsync(
        () => Database.ScalarAsync<bool>(
            $"select completed_at is not null from kb.object_extraction_jobs where id = '{job}'", Cancellation),
        () => $"job {job} does not end");

    /// <summary>Waits for a run that a schedule starts.</summary>
    public async Task<RunId> WaitForRunAsync(string trigger)
    {
        var found = await Patience.UntilAsync(
            async () => await Database.ScalarAsync<string>(
                $"select coalesce(max(id::text), '') from ml.training_runs where trigger = '{trigger}'", Cancellation)
                is { Length: > 0 } id ? id : null,
            () => $"no run was started by {trigger}");
        return new RunId(Guid.Parse(found));
    }

    /// <summary>Ticks until the run rests, moving the database's clock when nothing else moves.</summary>
    /// <param name="movesClock">False: what takes long takes long, and nothing is done a second time for it.</param>
    public async Task<Run> RunToEndAsync(RunId id, bool movesClock = true)
    {
        var (before, unmoved) = ("", 0);
        return await Patience.UntilAsync(
            async () =>
            {
                await Local.TickAsync(Cancellation);
                await SettleAsync();
                var run = await FindAsync(id);
                if (RunTransitions.IsFinal(run.State) || run.State == RunState.NeedsOperator)
                {
                    return run;
                }

                // Nobody is at work, and many sweeps have changed nothing: whoever holds a lease has died, let it run out.
                // One sweep at a time, as five minutes do, so that lost wake-up messages do not use up a deadline; an
                // unanswered call waits for hours.
                var now = $"{run.State}/{run.Epoch}/{run.PollCount}";
                unmoved = now == before ? unmoved + 1 : 0;
                before = now;
                if (movesClock && unmoved == 20)
                {
                    var isUnanswered = run.State is RunState.Creating or RunState.CreateUnknown;
                    await Database.Clock.AdvanceAsync(TimeSpan.FromMinutes(isUnanswered ? 20 : 6), Cancellation);
                    unmoved = 0;
                }

                return null;
            },
            () => $"run {id} did not come to an end");
    }

    /// <summary>Waits until no function is at work on a message; those that have died do not count.</summary>
    public Task SettleAsync() => Patience.UntilAsync(
        () => Local.PubSub is not { } pubSub || pubSub.InFlight <= Math.Max(0, _deaths - pubSub.Counters.TimedOut),
        () => "a function is still at work");

    /// <summary>Awaited by a worker that dies: it neither goes on nor cleans up, and its connections are gone.</summary>
    public async Task DieAsync()
    {
        await DropConnectionsAsync();
        Interlocked.Increment(ref _deaths);
        await Task.Delay(Timeout.Infinite, CancellationToken.None);
    }

    /// <summary>What a run leaves, in words that do not depend on when and how often it was tried.</summary>
    public async Task<string> DescribeAsync()
    {
        const string sql =
            """
            select concat_ws(' | ', r.project_id is null, r.trigger, r.state, r.reason, r.model_id = r.id,
                   regexp_replace(d.uri, '/v[0-9]+/e[0-9]+/', '/v/'), d.train_examples, d.train_sha256, d.train_bytes,
                   d.validation_examples, d.validation_sha256, d.estimated_tokens, d.prompt_hash,
                   d.statistics->'counts', d.statistics->'excluded',
                   m.model_type, m.version, m.status, m.base_model, m.parent_model_id is null, m.training_examples,
                   m.tuning_statistics, r.estimated_cost_usd,
                   (select count(*) from ml.dataset_examples e where e.dataset_id = d.id),
                   (select md5(string_agg(concat(e.job_id, e.chunk_id, e.split, e.content_hash), ',' order by e.job_id))
                    from ml.dataset_examples e where e.dataset_id = d.id),
                   (select count(*) from ml.tuning_attempts a where a.run_id = r.id and a.state = 'created'),
                   (select count(*) from ml.outbox o where o.run_id = r.id and o.status <> 'sent'))
            from   ml.training_runs r
            left   join ml.datasets d on d.id = r.dataset_id
            left   join ml.fine_tuned_models m on m.id = r.id
            order  by r.created_at
            """;

        await using var db = await Database.Admin.OpenConnectionAsync(Cancellation);
        var rows = await db.QueryAsync<string>(new CommandDefinition(sql, cancellationToken: Cancellation));
        var orphans = await db.ExecuteScalarAsync<long>(new CommandDefinition(
            "select count(*) from ml.datasets d where not exists (select 1 from ml.training_runs r where r.dataset_id = d.id)",
            cancellationToken: Cancellation));
        return new StringBuilder().AppendJoin('\n', rows).Append($"\n{orphans} orphans").ToString();
    }

    /// <summary>Ends every connection of the functions, as the death of their processes would.</summary>
    private Task DropConnectionsAsync() => Database.ExecuteAsync(
        """
        select pg_terminate_backend(pid)
        from   pg_stat_activity
        where  datname = current_database() and application_name = 'feedback-loop'
        """,
        Cancellation);

    /// <summary>Whatever the test was about: no file that any run of it has left holds personal data.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            ExportedFileOracle.AssertClean(
                await StoredFiles.OfBucketAsync(Local.Storage.Address, LocalChain.Bucket, CancellationToken.None));
        }
        finally
        {
            await StopAsync();
        }
    }

    private async ValueTask StopAsync()
    {
        await Local.DisposeAsync();
        await Database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    public async Task<Run> FindAsync(RunId id)
    {
        await using var db = await Database.Admin.OpenConnectionAsync(Cancellation);
        return await db.FindRunAsync(id, Cancellation) ?? throw new InvalidOperationException($"run {id} vanished");
    }

    private sealed class FailpointStartup(Failpoints failpoints) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            // A dead worker never answers; the host must not wait for it when the test is over.
            services.AddSingleton(failpoints)
                .Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(200));
    }
}
