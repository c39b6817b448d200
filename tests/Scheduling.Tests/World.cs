using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.ScheduleTicks;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>A database with schedules, a clock, and the ticks over them, for one test.</summary>
internal sealed class World : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private World(TestDatabase database) => _database = database;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static DateTimeOffset Start { get; } = CronTimesTests.At("2026-06-15T12:00Z");

    public TestDatabase Rows => _database;

    public FakeTimeProvider Time { get; } = new(Start);

    public RecordingPublisher Published { get; } = new();

    public ScheduleOptions Settings { get; set; } = new();

    public SpendingOptions Spending { get; set; } = new();

    public static async Task<World> StartAsync(PostgresFixture postgres) => new(await postgres.CreateDatabaseAsync(Stop));

    public ScheduleTicker Ticker() => new(
        Rows.Database, new OutboxRelay(Rows.Database, Published, new Failpoints(), TimeProvider.System), Time,
        Options.Create(Settings), CountingRules.Default, new SpendingTerms(Spending, new BaseModelCatalogue()),
        NullLogger<ScheduleTicker>.Instance);

    public Task<TickTally> TickAsync() => Ticker().RunAsync(Stop);

    public async Task<StepOutcome> FinishedAsync(RunId run) =>
        await new RenewalStep(Rows.Database, Ticker(), Time).RunAsync(new TrainingFinished(run), Stop);

    public async Task<Scope> AddScopeAsync(bool isProject = true)
    {
        var organization = await Rows.AddOrganizationAsync(Stop);
        return new Scope(organization, isProject ? await Rows.AddProjectAsync(organization, Stop) : null);
    }

    public async Task<Schedule> SaveAsync(Scope scope, ScheduleSettings settings)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        var before = await db.FindScheduleAsync(scope, Stop);
        var outcome = await db.SaveScheduleAsync(
            scope, settings, before?.RowVersion, "user:tester", Time.GetUtcNow(), Stop);
        return Assert.IsType<ScheduleChangeOutcome.Saved>(outcome).Schedule;
    }

    public async Task<Schedule> FindAsync(Scope scope)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.FindScheduleAsync(scope, Stop) ?? throw new InvalidOperationException($"{scope} has no schedule");
    }

    public async Task<IReadOnlyList<Run>> ListRunsAsync()
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        var ids = await db.QueryAsync<Guid>(Sql.Command(
            "select id from ml.training_runs where state = 'requested' or schedule_id is not null order by id", null, Stop));
        return await db.ListRunsAsync([.. ids], Stop);
    }

    /// <summary>Ends a run as the chain would, short of the way there.</summary>
    public async Task EndAsync(RunId run, string state, string reason = "quota")
    {
        await Rows.ExecuteAsync(
            $"""
            update ml.training_runs
            set    state = '{state}', reason = '{reason}', ended_at = '{Time.GetUtcNow():O}'
            where  id = '{run}'
            """,
            Stop);
    }

    /// <summary>A training that succeeded, with its dataset and its ready model.</summary>
    public async Task<RunId> AddModelAsync(Scope scope)
    {
        var id = RunId.New(Time.GetUtcNow());
        var at = Time.GetUtcNow();
        var hash = new string('a', 64);
        await Rows.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.training_runs (
                id, organization_id, project_id, trigger, requested_by, parameters, version, state, not_before, deadline_at,
                dataset_id, model_id, created_at, updated_at, ended_at)
            values ('{id}', '{scope.OrganizationId}', {Project(scope)}, 'manual', 'user:tester', '{RunParameters.Default.ToJson()}',
                {at.ToUnixTimeMilliseconds()}, 'succeeded', '{at:O}', '{at:O}', '{id}', '{id}', '{at:O}', '{at:O}', '{at:O}');
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation,
                train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
            values ('{id}', '{scope.OrganizationId}', {Project(scope)}, '{id}', 'gs://b/', 1, '{hash}', '{at:O}', 'gs://b/t', 1,
                '{hash}', 1, 120, 1, '{"{}"}', '{at:O}');
            update ml.fine_tuned_models
            set    status = 'deprecated'
            where  organization_id = '{scope.OrganizationId}'
            and    project_id is not distinct from {Project(scope)}
            and    status = 'ready';
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, status, base_model, tuning_job, vertex_model,
                vertex_endpoint, prompt_hash, dataset_id, training_dataset_uri, training_examples, validation_examples,
                training_completed_at, first_promoted_at, created_at, updated_at)
            select '{id}', '{scope.OrganizationId}', {Project(scope)}, '{(scope.IsGeneral ? "general" : "project")}',
                   count(*) + 1, 'ready', 'gemini', 'job', '{id}', 'endpoint', '{hash}', '{id}', 'gs://b/t', 120, 0,
                   '{at:O}', '{at:O}', '{at:O}', '{at:O}'
            from   ml.fine_tuned_models
            where  organization_id = '{scope.OrganizationId}'
            and    project_id is not distinct from {Project(scope)};
            set session_replication_role = default
            """,
            Stop);
        return id;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private static string Project(Scope scope) => scope.ProjectId is { } id ? $"'{id}'::uuid" : "null";
}
