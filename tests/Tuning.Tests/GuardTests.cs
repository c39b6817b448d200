using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>
/// What the database refuses, whatever the code does. Each case is tried twice: with its guard, and without it, when the same
/// statement must pass; so no case owes its refusal to another guard.
/// </summary>
public sealed class GuardTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string AttemptGuard = "alter table ml.tuning_attempts disable trigger attempt_guard";
    private const string RunGuard = "alter table ml.training_runs disable trigger run_guard";
    private const string ModelGuard = "alter table ml.fine_tuned_models disable trigger model_guard";

    private World _world = null!; // set before each test
    private RunId _run;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_run_has_one_open_attempt()
    {
        await IntendAsync();
        await RefusesAsync(Attempt(2), "one_open_attempt", "drop index ml.one_open_attempt");
    }

    [Fact]
    public Task An_attempt_is_recorded_while_its_run_is_creating() =>
        RefusesAsync(Attempt(1), "the run is not creating", AttemptGuard);

    [Fact]
    public async Task The_object_of_an_unanswered_attempt_is_never_used_again()
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set state = 'unknown'");
        await _world.Rows.ExecuteAsync("drop index ml.one_open_attempt", World.Stop);
        await RefusesAsync(Attempt(2, file: 1), "must not be used again", AttemptGuard);
    }

    [Fact]
    public async Task Unknown_never_becomes_rejected()
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set state = 'unknown'");
        await RefusesAsync(
            "update ml.tuning_attempts set state = 'rejected'", "illegal attempt step unknown -> rejected", AttemptGuard);
    }

    [Theory]
    [InlineData("dataset_uri = 'gs://b/other.jsonl'")]
    [InlineData("base_model = 'another'")]
    [InlineData("request_sha256 = repeat('0', 64)")]
    [InlineData("token_expires_at = sent_at")]
    [InlineData("vertex_parent = 'projects/p/locations/l'")]
    public async Task An_intent_does_not_change(string change)
    {
        await IntendAsync();
        await RefusesAsync($"update ml.tuning_attempts set {change}", "the intent is immutable", AttemptGuard);
    }

    [Fact]
    public async Task Quiet_time_does_not_shrink()
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set quiet_until = sent_at + interval '3 hours'");
        await RefusesAsync(
            "update ml.tuning_attempts set quiet_until = sent_at + interval '2 hours'", "quiet time cannot shrink",
            AttemptGuard);
    }

    [Fact]
    public async Task Quiet_time_is_two_hours_at_least()
    {
        await CreatingAsync();
        await RefusesAsync(
            Attempt(1, quiet: "1 hour 59 minutes"), "long_quiet",
            "alter table ml.tuning_attempts drop constraint long_quiet");
    }

    [Fact]
    public async Task A_token_lives_five_and_a_half_minutes_at_most()
    {
        await CreatingAsync();
        await RefusesAsync(
            Attempt(1, token: "331 seconds"), "short_token", "alter table ml.tuning_attempts drop constraint short_token");
    }

    [Theory]
    [InlineData("119 minutes", "2 minutes", 5)]
    [InlineData("3 hours", "59 seconds", 5)]
    [InlineData("3 hours", "2 minutes", 1)]
    public async Task No_job_is_concluded_from_proof_only(string sinceSent, string sinceDeleted, int checks)
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set state = 'unknown'");
        await _world.Clock.AdvanceAsync(TimeSpan.Parse(sinceSent switch
        {
            "119 minutes" => "01:59:00",
            _ => "03:00:00",
        }, System.Globalization.CultureInfo.InvariantCulture), World.Stop);
        await ExecuteAsync(
            $"""
            update ml.tuning_attempts
            set    dataset_deleted_at = clock_timestamp() - interval '{sinceDeleted}', list_checks = {checks}
            """);

        // A forged time of the worker does not help: the trigger writes the database's.
        await RefusesAsync(
            "update ml.tuning_attempts set state = 'absent', resolved_at = now() + interval '9 hours'", "absent_is_proven",
            "alter table ml.tuning_attempts drop constraint absent_is_proven");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("t.now - interval '1 hour'")]
    public async Task A_second_call_follows_a_list_that_began_when_the_first_was_settled(string listed)
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set state = 'rejected'");
        await RefusesAsync(
            Attempt(2, listed: listed), "were not listed since the last attempt was settled",
            "alter table ml.tuning_attempts disable trigger attempt_is_listed");
    }

    [Fact]
    public async Task No_job_is_concluded_once_per_run()
    {
        await AbsentAsync(1);
        await AbsentAsync(2, conclude: false);
        await RefusesAsync(
            "update ml.tuning_attempts set state = 'absent' where attempt = 2", "one_presumed_absent",
            "drop index ml.one_presumed_absent");
    }

    [Fact]
    public async Task A_job_belongs_to_one_attempt()
    {
        await IntendAsync();
        await ExecuteAsync("update ml.tuning_attempts set state = 'created', tuning_job = 'j'");
        var other = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await CreatingAsync(other);
        await ExecuteAsync(Attempt(1, run: other));
        await RefusesAsync(
            $"update ml.tuning_attempts set state = 'created', tuning_job = 'j' where run_id = '{other}'",
            "one_run_per_tuning_job", "drop index ml.one_run_per_tuning_job");
    }

    [Fact]
    public async Task A_run_is_tuning_only_with_a_recorded_job()
    {
        await IntendAsync();
        await RefusesAsync(
            "update ml.training_runs set state = 'tuning', next_poll_at = now()", "tuning without a recorded job", RunGuard);
    }

    [Theory]
    [InlineData("sending")]
    [InlineData("unknown")]
    [InlineData("created")]
    public async Task A_run_does_not_end_while_a_job_may_live(string attempt)
    {
        await IntendAsync();
        var job = attempt == "created" ? ", tuning_job = 'j'" : "";
        await (attempt == "sending"
            ? Task.CompletedTask
            : ExecuteAsync($"update ml.tuning_attempts set state = '{attempt}'{job}"));
        await RefusesAsync(
            "update ml.training_runs set state = 'failed', reason = 'x', ended_at = now()",
            "cannot end while a tuning job is unresolved or alive", RunGuard);
    }

    [Theory]
    [InlineData("epoch = -1", "epoch of a run cannot go back")]
    [InlineData("version = version + 1", "are immutable")]
    [InlineData("parameters = '{}'", "are immutable")]
    [InlineData("dataset_id = null, state = 'cancelling', ends_as = 'failed', next_poll_at = now()", "dataset of a run is immutable")]
    [InlineData("state = 'succeeded', model_id = null, ended_at = now()", "illegal run step exported -> succeeded")]
    public async Task A_run_does_not_go_back_and_does_not_jump(string change, string refusal)
    {
        await _world.Rows.ExecuteAsync("alter table ml.training_runs drop constraint success_has_a_result", World.Stop);
        await RefusesAsync($"update ml.training_runs set {change}", refusal, RunGuard);
    }

    [Fact]
    public async Task Nothing_leaves_a_final_state()
    {
        await ExecuteAsync("update ml.training_runs set state = 'failed', reason = 'x', ended_at = now()");
        await RefusesAsync(
            "update ml.training_runs set state = 'exported', ended_at = null", "illegal run step failed -> exported",
            RunGuard);
    }

    [Theory]
    [InlineData("exported")]
    [InlineData("needs_operator")]
    public async Task A_scope_has_one_live_run(string state)
    {
        if (state == "needs_operator")
        {
            await ExecuteAsync(
                "update ml.training_runs set state = 'cancelling', ends_as = 'failed', next_poll_at = now(), reason = 'x'");
            await ExecuteAsync("update ml.training_runs set state = 'needs_operator'");
        }

        await RefusesAsync(
            """
            insert into ml.training_runs (
                id, organization_id, trigger, requested_by, parameters, version, not_before, deadline_at, created_at, updated_at)
            select gen_random_uuid(), organization_id, trigger, requested_by, parameters, version + 1, not_before,
                   deadline_at, created_at, updated_at
            from   ml.training_runs
            """,
            "one_live_run", "drop index ml.one_live_run");
    }

    [Fact]
    public async Task A_scope_has_one_ready_model()
    {
        var scope = (await _world.FindAsync(_run)).Scope;
        await FinishAsync(_run);
        var second = await _world.AddReadyModelAsync(scope);
        await RefusesAsync(
            $"update ml.fine_tuned_models set status = 'ready' where id <> '{second}'", "one_ready_model",
            "drop index ml.one_ready_model");
    }

    [Fact]
    public async Task A_failed_model_never_becomes_ready()
    {
        await FinishAsync(_run);
        await _world.Rows.ExecuteAsync(ModelGuard, World.Stop);
        await _world.Rows.ExecuteAsync("update ml.fine_tuned_models set status = 'failed'", World.Stop);
        await _world.Rows.ExecuteAsync("alter table ml.fine_tuned_models enable trigger model_guard", World.Stop);
        await RefusesAsync(
            "update ml.fine_tuned_models set status = 'ready'", "illegal model step failed -> ready", ModelGuard);
    }

    [Fact]
    public async Task A_project_belongs_to_the_organization_of_its_run()
    {
        var stranger = await _world.AddScopeAsync(isProject: true);
        await RefusesAsync(
            $"""
            insert into ml.training_runs (
                id, organization_id, project_id, trigger, requested_by, parameters, version, not_before, deadline_at,
                created_at, updated_at)
            select gen_random_uuid(), organization_id, '{stranger.ProjectId}', trigger, requested_by, parameters, version,
                   not_before, deadline_at, created_at, updated_at
            from   ml.training_runs
            """,
            "scope_exists", "alter table ml.training_runs disable trigger scope_guard");
    }

    /// <summary>The role of the product is refused; once the guard is gone, the same statement passes.</summary>
    private async Task RefusesAsync(string sql, string refusal, string removeGuard)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(sql));
        Assert.Contains(refusal, $"{refused.ConstraintName} {refused.MessageText}", StringComparison.Ordinal);

        await _world.Rows.ExecuteAsync(removeGuard, World.Stop);
        await ExecuteAsync(sql);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _world.Rows.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(World.Stop);
    }

    private Task CreatingAsync(RunId? run = null) => ExecuteAsync(
        $"update ml.training_runs set state = 'creating' where id = '{run ?? _run}' and state <> 'creating'");

    private async Task IntendAsync()
    {
        await CreatingAsync();
        await ExecuteAsync(Attempt(1));
    }

    private async Task AbsentAsync(int attempt, bool conclude = true)
    {
        await CreatingAsync();
        await ExecuteAsync(Attempt(attempt));
        await ExecuteAsync($"update ml.tuning_attempts set state = 'unknown' where attempt = {attempt}");
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);
        await ExecuteAsync(
            $"""
            update ml.tuning_attempts
            set    dataset_deleted_at = clock_timestamp() - interval '2 minutes', list_checks = 2
            where  attempt = {attempt}
            """);
        if (conclude)
        {
            await ExecuteAsync($"update ml.tuning_attempts set state = 'absent' where attempt = {attempt}");
        }
    }

    private async Task FinishAsync(RunId run)
    {
        await _world.TrainAsync(run);
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);
    }

    private string Attempt(
        int number, int? file = null, RunId? run = null, string token = "300 seconds", string quiet = "2 hours",
        string listed = "t.now") =>
        $"""
        insert into ml.tuning_attempts (
            run_id, organization_id, attempt, vertex_parent, run_label, dataset_uri, dataset_generation, base_model,
            request_sha256, sent_at, token_expires_at, quiet_until, next_check_at, listed_from)
        select r.id, r.organization_id, {number}, 'projects/demo/locations/us-central1', r.id::text,
               'gs://b/{run ?? _run}/{file ?? number}.jsonl', 1, 'm', repeat('a', 64), t.now,
               t.now + interval '{token}', t.now + interval '{quiet}', t.now, {listed}
        from   ml.training_runs r, (select clock_timestamp() as now) t
        where  r.id = '{run ?? _run}'
        """;
}
