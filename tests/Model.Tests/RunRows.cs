using Dapper;
using FeedbackLoop.Model.Pipeline;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Model;

/// <summary>
/// The rows of one run, which follow the model's states by plain statements: only the database may refuse them.
/// </summary>
internal sealed class RunRows : IAsyncDisposable
{
    private const string CheckViolation = "23514";
    private const string UniqueViolation = "23505";

    private static readonly AttemptStep[] AttemptSteps =
        [AttemptStep.Unknown, AttemptStep.Absent, AttemptStep.Created, AttemptStep.Closed];

    private readonly TestDatabase _database;
    private readonly NpgsqlConnection _db;
    private readonly Guid _run = Guid.CreateVersion7();

    // Numbers of the attempts that the model calls first and second; rejected ones have passed.
    private readonly int[] _numbers = new int[2];
    private int _attempts;

    private RunRows(TestDatabase database, NpgsqlConnection db) => (_database, _db) = (database, db);

    public static async Task<RunRows> StartAsync(TestDatabase database, CancellationToken cancellationToken)
    {
        var organization = await database.AddOrganizationAsync(cancellationToken);
        var rows = new RunRows(database, await database.Database.OpenConnectionAsync(cancellationToken));
        await rows.DoAsync(
            """
            insert into ml.training_runs (
                id, organization_id, trigger, requested_by, parameters, version, not_before, deadline_at, created_at, updated_at)
            select @run, @organization, 'manual', 'model', '{}', 1, t.now, t.now, t.now, t.now
            from   (select clock_timestamp() as now) t
            """,
            new { run = rows._run, organization });
        return rows;
    }

    public ValueTask DisposeAsync() => _db.DisposeAsync();

    /// <summary>Changes the rows as the model's step does.</summary>
    /// <returns>How many changes of a state there were.</returns>
    /// <exception cref="PostgresException">The database refuses what the model allows.</exception>
    public async Task<int> FollowAsync(PipelineState before, PipelineState after, CancellationToken cancellationToken)
    {
        // Most steps are a worker's own, or time's.
        if (Situation.Of(before) == Situation.Of(after))
        {
            return 0;
        }

        if ((Is(after, AttemptMarks.Quiet) && !Is(before, AttemptMarks.Quiet))
            || (Is(after, AttemptMarks.Burned) && !Is(before, AttemptMarks.Burned)))
        {
            await _database.Clock.AdvanceAsync(TimeSpan.FromHours(2), cancellationToken);
        }

        await using var tx = await _db.BeginTransactionAsync(cancellationToken);
        var changes = 0;
        if (after.Recorded != 0 && before.Recorded == 0)
        {
            await AddDatasetAsync();
        }

        // The run first where an intent needs it, the attempts first where the run's end needs them.
        var isIntent = after.Run == RunStep.Creating;
        changes += isIntent ? await FollowRunAsync(before, after) : 0;
        changes += await FollowAttemptAsync(0, before.First, after.First);
        changes += await FollowAttemptAsync(1, before.Second, after.Second);
        changes += isIntent ? 0 : await FollowRunAsync(before, after);
        await tx.CommitAsync(cancellationToken);
        return changes;
    }

    /// <summary>Tries every step of the run and of its attempts, and takes each back.</summary>
    /// <returns>Those about which the model and the database differ.</returns>
    public async Task<IReadOnlyList<string>> ListDifferencesAsync(PipelineState state, CancellationToken cancellationToken)
    {
        var differences = new List<string>();
        foreach (var to in RunSteps.All.Where(to => to != state.Run))
        {
            await TryAsync($"run {state.Run} -> {to}", PipelineModel.DatabaseAllows(state, to), () => MoveRunAsync(to));
        }

        for (var index = 0; index < 2; index++)
        {
            var attempt = index == 0 ? state.First : state.Second;
            foreach (var to in AttemptSteps.Where(to => attempt.Step != AttemptStep.None && to != attempt.Step))
            {
                var at = index;
                await TryAsync(
                    $"attempt {attempt.Step} -> {to}", PipelineModel.DatabaseAllows(state, index == 1, to),
                    () => MoveAttemptAsync(at, to));
            }

            if (attempt.Step != AttemptStep.None)
            {
                var at = index;
                await TryAsync(
                    $"attempt {attempt.Step} -> rejected", attempt.Step == AttemptStep.Sending,
                    () => RejectAsync(at));
            }
        }

        foreach (var onSecond in new[] { false, true })
        {
            await TryAsync(
                $"a new attempt with the object of attempt {(onSecond ? 2 : 1)}",
                PipelineModel.DatabaseAllowsIntent(state, onSecond),
                () => IntendAsync(onSecond ? 1 : 0, _attempts + 1));
        }

        return differences;

        async Task TryAsync(string what, bool isAllowed, Func<Task> act)
        {
            await using var tx = await _db.BeginTransactionAsync(cancellationToken);
            var refusal = await FindRefusalAsync(act);
            if (refusal is null != isAllowed)
            {
                differences.Add($"{what}: the database says {refusal ?? "yes"}");
            }
        }
    }

    private static async Task<string?> FindRefusalAsync(Func<Task> act)
    {
        try
        {
            await act();
            return null;
        }
        catch (PostgresException e) when (e.SqlState is CheckViolation or UniqueViolation)
        {
            return e.MessageText;
        }
    }

    private static bool Is(in PipelineState state, AttemptMarks mark) => state.First.Is(mark) || state.Second.Is(mark);

    private async Task<int> FollowRunAsync(PipelineState before, PipelineState after)
    {
        if (before.Run == after.Run)
        {
            return 0;
        }

        // One step of the model is two of the database's: a job is found for a run that somebody wanted to end.
        if (before.Run == RunStep.NeedsOperator && after.Run == RunStep.Cancelling)
        {
            await MoveRunAsync(RunStep.Tuning);
        }

        await MoveRunAsync(after.Run);
        return 1;
    }

    private async Task<int> FollowAttemptAsync(int index, Attempt before, Attempt after)
    {
        if (before.Step == AttemptStep.None && after.Step == AttemptStep.Sending)
        {
            _numbers[index] = ++_attempts;
            await IntendAsync(index, _attempts);
            return 1;
        }

        if (before.Step == AttemptStep.Sending && after.Step == AttemptStep.None)
        {
            await RejectAsync(index);
            return 1;
        }

        if (after.Step == AttemptStep.Unknown)
        {
            await DoAsync(
                """
                update ml.tuning_attempts
                set    list_checks        = @ListChecks,
                       dataset_deleted_at = case when @isDeleted then coalesce(dataset_deleted_at, clock_timestamp()) end
                where  run_id = @run
                and    attempt = @number
                """,
                new { run = _run, number = _numbers[index], after.ListChecks, isDeleted = after.Is(AttemptMarks.Deleted) });
        }

        var changes = 0;
        if (before.Step != after.Step)
        {
            await MoveAttemptAsync(index, after.Step);
            changes++;
        }

        if (after.Is(AttemptMarks.JobEnded) && !before.Is(AttemptMarks.JobEnded))
        {
            await DoAsync(
                "update ml.tuning_attempts set job_ended_at = clock_timestamp() where run_id = @run and attempt = @number",
                new { run = _run, number = _numbers[index] });
        }

        return changes;
    }

    private Task<int> MoveRunAsync(RunStep to) => DoAsync(
        """
        update ml.training_runs
        set    state              = @state,
               reason             = 'the model says so',
               approval_asked_usd = case when @state = 'awaiting_approval' then 1 else approval_asked_usd end,
               approved_usd       = case when t.is_approval then 1 else approved_usd end,
               approved_by        = case when t.is_approval then 'model' else approved_by end,
               approved_at        = case when t.is_approval then clock_timestamp() else approved_at end,
               ends_as            = case when @state = 'cancelling' then 'cancelled' else ends_as end,
               next_poll_at       = clock_timestamp(),
               model_id           = (select id from ml.fine_tuned_models where id = @run),
               ended_at           = case when ml.run_is_final(@state) then clock_timestamp() end
        from   (select state = 'awaiting_approval' and @state = 'exported' as is_approval from ml.training_runs where id = @run) t
        where  id = @run
        """,
        new { run = _run, state = RunSteps.NameOf(to) });

    private Task<int> IntendAsync(int index, int number) => DoAsync(
        """
        insert into ml.tuning_attempts (
            run_id, organization_id, attempt, vertex_parent, run_label, dataset_uri, dataset_generation, base_model,
            estimated_cost_usd, request_sha256, listed_from, sent_at, token_expires_at, quiet_until, next_check_at)
        select r.id, r.organization_id, @number, 'projects/p/locations/l', r.id::text, 'gs://b/' || r.id || '/' || @index::int,
               1, 'base', 1, repeat('a', 64), t.now, t.now, t.now + interval '300 seconds', t.now + interval '2 hours',
               t.now
        from   ml.training_runs r, (select clock_timestamp() as now) t
        where  r.id = @run
        """,
        new { run = _run, number, index });

    private Task<int> RejectAsync(int index) => DoAsync(
        "update ml.tuning_attempts set state = 'rejected' where run_id = @run and attempt = @number",
        new { run = _run, number = _numbers[index] });

    private async Task MoveAttemptAsync(int index, AttemptStep to)
    {
        var isCreated = to == AttemptStep.Created;
        await DoAsync(
            """
            update ml.tuning_attempts
            set    state         = @state,
                   list_checks   = list_checks + case when @state = 'absent' then 1 else 0 end,
                   tuning_job    = case when @state = 'created' then 'projects/p/locations/l/tuningJobs/' || run_id end,
                   closed_by     = case when @state = 'closed' then 'model' end,
                   closed_reason = case when @state = 'closed' then 'model' end
            where  run_id = @run
            and    attempt = @number
            """,
            new { run = _run, number = _numbers[index], state = to.ToString().ToLowerInvariant() });
        if (isCreated)
        {
            await DoAsync(
                """
                insert into ml.fine_tuned_models (
                    id, organization_id, model_type, version, base_model, tuning_job, prompt_hash, dataset_id,
                    training_dataset_uri, training_examples, validation_examples, created_at, updated_at)
                select id, organization_id, 'general', 1, 'base', 'job', repeat('a', 64), dataset_id, 'gs://b/f', 1, 0,
                       clock_timestamp(), clock_timestamp()
                from   ml.training_runs
                where  id = @run
                on     conflict (id) do nothing
                """,
                new { run = _run });
        }
    }

    private Task<int> AddDatasetAsync() => DoAsync(
        """
        with dataset as (
            insert into ml.datasets (
                id, organization_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation, train_sha256,
                train_bytes, train_examples, estimated_tokens, statistics, created_at)
            select gen_random_uuid(), r.organization_id, r.id, 'gs://b/', 1, repeat('a', 64), t.now, 'gs://b/f', 1,
                   repeat('a', 64), 1, 1, 1, '{}', t.now
            from   ml.training_runs r, (select clock_timestamp() as now) t
            where  r.id = @run
            returning id
        )
        update ml.training_runs
        set    dataset_id = dataset.id
        from   dataset
        where  training_runs.id = @run
        """,
        new { run = _run });

    private Task<int> DoAsync(string sql, object args) => _db.ExecuteAsync(sql, args);
}
