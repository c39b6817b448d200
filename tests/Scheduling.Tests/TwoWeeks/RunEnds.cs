using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>In place of the chain: each run ends some hours later, most of them well.</summary>
internal sealed class RunEnds(World world, int seed, Func<Scope, int> numberOf)
{
    private readonly SortedDictionary<Guid, RunEnd> _live = [];
    private readonly Dictionary<Scope, int> _runsOf = [];
    private readonly List<RunId> _succeeded = [];
    private int _versions;

    private static CancellationToken Stop => World.Stop;

    /// <summary>Runs whose success is not told yet.</summary>
    public IReadOnlyList<RunId> TakeSucceeded()
    {
        RunId[] taken = [.. _succeeded];
        _succeeded.Clear();
        return taken;
    }

    /// <summary>Decides how the runs end that have come since; those of general models are on their way from then on.</summary>
    public async Task PlanAsync()
    {
        const string sql =
            """
            select id, organization_id, project_id, created_at
            from   ml.training_runs
            where  state = 'requested'
            and    not id = any(@known)
            order  by created_at, id
            """;

        await using var db = await world.Rows.Admin.OpenConnectionAsync(Stop);
        var fresh = (await db.QueryAsync<LiveRun>(Sql.Command(sql, new { known = _live.Keys.ToArray() }, Stop))).AsList();
        foreach (var run in fresh)
        {
            var scope = new Scope(run.OrganizationId, run.ProjectId);
            var ordinal = _runsOf[scope] = _runsOf.GetValueOrDefault(scope) + 1;
            if (scope.IsGeneral)
            {
                await world.Rows.SetOutAsync(run.Id, Stop);
            }

            _live.Add(run.Id, Decide(run, numberOf(scope), new Random((((seed * 1_009) + numberOf(scope)) * 1_009) + ordinal)));
        }
    }

    /// <summary>Ends what is over by then.</summary>
    public async Task EndAsync(DateTimeOffset at)
    {
        RunEnd[] over = [.. _live.Values.Where(run => run.EndedAt <= at).OrderBy(run => run.EndedAt)];
        if (over.Length > 0)
        {
            await world.Rows.EndRunsAsync(over, _versions, Stop);
            _versions += over.Length;
            _succeeded.AddRange(over.Where(run => run.State == RunState.Succeeded).Select(run => new RunId(run.Id)));
            foreach (var run in over)
            {
                _live.Remove(run.Id);
            }
        }
    }

    private static RunEnd Decide(LiveRun run, int number, Random random)
    {
        // Every tenth has something wrong with it that repeating does not mend.
        var state = random.Next(100) switch
        {
            < 80 when number % 10 == 7 => RunState.Failed,
            < 65 => RunState.Succeeded,
            < 84 => RunState.Failed,
            < 94 => RunState.Skipped,
            _ => RunState.Cancelled,
        };
        var minutes = state == RunState.Skipped ? random.Next(5, 20)
            : random.Next(20) == 0 ? random.Next(1_800, 3_600)
            : random.Next(30, 540);
        var start = new DateTimeOffset(run.CreatedAt.Ticks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);
        return new RunEnd(run.Id, state, run.CreatedAt.AddSeconds(90), start.AddMinutes(minutes));
    }

    private sealed record LiveRun(Guid Id, Guid OrganizationId, Guid? ProjectId, DateTimeOffset CreatedAt);
}

/// <param name="SnapshotAt">When it read its examples.</param>
internal sealed record RunEnd(Guid Id, string State, DateTimeOffset SnapshotAt, DateTimeOffset EndedAt);

/// <summary>Rows that the chain and the statistics would have left, for many runs and examples at once.</summary>
internal static class FortnightRows
{
    public static Task SetOutAsync(this TestDatabase database, Guid run, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs set state = 'exporting' where id = '{run}';
            set session_replication_role = default
            """,
            cancellationToken);

    public static async Task EndRunsAsync(
        this TestDatabase database, IReadOnlyList<RunEnd> runs, int firstVersion, CancellationToken cancellationToken)
    {
        // Without the triggers of the states between, which no schedule looks at.
        const string sql =
            """
            set local session_replication_role = replica;
            create temp table over on commit drop as
            select *
            from   unnest(@ids, @states, @snapshots, @ends) with ordinality as o (id, state, snapshot_at, ended_at, number);
            update ml.training_runs r
            set    state      = o.state,
                   reason     = 'quota',
                   ended_at   = o.ended_at,
                   dataset_id = case when o.state = 'succeeded' then r.id end,
                   model_id   = case when o.state = 'succeeded' then r.id end
            from   over o
            where  r.id = o.id;
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation,
                train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
            select r.id, r.organization_id, r.project_id, r.id, 'gs://b/', 1, repeat('a', 64), o.snapshot_at, 'gs://b/t', 1,
                   repeat('a', 64), 1, 120, 1, '{}', o.ended_at
            from   over o
            join   ml.training_runs r on r.id = o.id and r.state = 'succeeded';
            update ml.fine_tuned_models m
            set    status = 'deprecated'
            from   over o
            join   ml.training_runs r on r.id = o.id and r.state = 'succeeded'
            where  m.organization_id = r.organization_id
            and    m.project_id is not distinct from r.project_id
            and    m.status = 'ready';
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, status, base_model, tuning_job, vertex_model,
                vertex_endpoint, prompt_hash, dataset_id, training_dataset_uri, training_examples, validation_examples,
                training_completed_at, first_promoted_at, created_at, updated_at)
            select r.id, r.organization_id, r.project_id, case when r.project_id is null then 'general' else 'project' end,
                   @firstVersion + o.number, 'ready', 'gemini', 'job', r.id::text, 'endpoint', repeat('a', 64), r.id,
                   'gs://b/t', 120, 0, o.ended_at, o.ended_at, o.ended_at, o.ended_at
            from   over o
            join   ml.training_runs r on r.id = o.id and r.state = 'succeeded'
            """;

        await using var db = await database.Admin.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var args = new
        {
            ids = runs.Select(run => run.Id).ToArray(),
            states = runs.Select(run => run.State).ToArray(),
            snapshots = runs.Select(run => run.SnapshotAt).ToArray(),
            ends = runs.Select(run => run.EndedAt).ToArray(),
            firstVersion = firstVersion + 1,
        };
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
        await tx.CommitAsync(cancellationToken);
    }

    public static async Task AddCountedExamplesAsync(
        this TestDatabase database, IReadOnlyList<(DateTimeOffset At, Guid Project)> examples,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            with fresh as (
                insert into ml.counted_extractions (
                    project_id, job_id, chunk_id, organization_id, document_id, usable_to, decided_to, own_usable_to,
                    own_decided_to, is_held, is_empty, changed_at)
                select p.id, gen_random_uuid(), gen_random_uuid(), p.organization_id, gen_random_uuid(), 101, 101, 101, 101,
                       true, false, e.at
                from   unnest(@times, @projects) as e (at, project_id)
                join   kb.projects p on p.id = e.project_id
                returning project_id, organization_id, changed_at
            )
            insert into ml.extraction_counts (
                project_id, organization_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
            select project_id, organization_id, (changed_at at time zone 'UTC')::date, 101, count(*), count(*), count(*),
                   count(*), 0
            from   fresh
            group  by project_id, organization_id, (changed_at at time zone 'UTC')::date
            on     conflict (project_id, changed_on, level) do update
            set    usable      = extraction_counts.usable + excluded.usable,
                   decided     = extraction_counts.decided + excluded.decided,
                   own_usable  = extraction_counts.own_usable + excluded.own_usable,
                   own_decided = extraction_counts.own_decided + excluded.own_decided
            """;

        await using var db = await database.Admin.OpenConnectionAsync(cancellationToken);
        var args = new
        {
            times = examples.Select(example => example.At).ToArray(),
            projects = examples.Select(example => example.Project).ToArray(),
        };
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
