using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>A training that is dearer than usual, and the person who is asked.</summary>
public sealed class ApprovalTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _world.Spending = new() { DefaultMonthlyLimitUsd = 1_000 };
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Above_the_sum_it_waits_before_anything_is_spent_and_its_admins_are_told()
    {
        var scope = await _world.AddScopeAsync();
        var run = await AddRunAsync(scope, 60);
        var admin = await AddAdminAsync(scope.OrganizationId);

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));

        var waiting = await _world.FindAsync(run);
        const string Question =
            "the training is estimated at 60.00 USD, more than the 50.00 USD that may be spent without an approval";
        Assert.Equal(
            (RunState.AwaitingApproval, Question, (decimal?)60), (waiting.State, waiting.Reason, waiting.ApprovalAskedUsd));
        Assert.InRange(waiting.DeadlineAt - Now, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7));
        Assert.Empty(await _world.AttemptsAsync(run));
        Assert.Equal(0, _world.CallsFor(run));
        Assert.StartsWith(
            $"{admin} A training waits for your approval: T{Question[1..]}.",
            await _world.Rows.ScalarAsync<string>(
                "select user_id || ' ' || title || ': ' || message from kb.notifications", World.Stop),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Once_approved_its_job_is_made_and_the_audit_log_says_who_and_how_much()
    {
        var run = await AddWaitingRunAsync(60);

        Assert.True(await ApproveAsync(run, 60, "the new corpus"));
        Assert.False(await ApproveAsync(run, 60));
        await _world.Outbox.SendPendingAsync(10, World.Stop);
        Assert.Equal(
            new PublishedMessage("dataset-exported", $$"""{"runId":"{{run}}"}"""), _world.Published.Messages[^1]);
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        var after = await _world.FindAsync(run);
        Assert.Equal((RunState.Tuning, (decimal?)60, (decimal?)null), (after.State, after.ApprovedUsd, after.ApprovalAskedUsd));
        Assert.Equal(1, _world.JobsOf(run));
        Assert.Equal(
            $"user:ada approve-training run {run} 60.00 USD: the new corpus",
            await _world.Rows.ScalarAsync<string>(
                "select actor || ' ' || action || ' ' || subject || ' ' || reason from ml.audit_log order by id desc limit 1",
                World.Stop));
    }

    [Fact]
    public async Task An_approval_of_another_sum_approves_nothing()
    {
        var run = await AddWaitingRunAsync(60);

        Assert.False(await ApproveAsync(run, 59.99m));

        Assert.Equal(RunState.AwaitingApproval, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task When_it_has_become_dearer_it_asks_again()
    {
        var run = await AddWaitingRunAsync(60);
        Assert.True(await ApproveAsync(run, 60));
        _world.Catalogue = Catalogues.Of(Catalogues.Model("gemini-3.5-flash", trainingPrice: 11));

        await _world.TrainAsync(run);

        var waiting = await _world.FindAsync(run);
        Assert.Equal((RunState.AwaitingApproval, (decimal?)66), (waiting.State, waiting.ApprovalAskedUsd));
        Assert.EndsWith("; 60.00 USD were approved", waiting.Reason, StringComparison.Ordinal);
        Assert.Empty(await _world.AttemptsAsync(run));

        Assert.True(await ApproveAsync(run, 66));
        await _world.TrainAsync(run);
        Assert.Equal(1, _world.JobsOf(run));
    }

    [Fact]
    public async Task More_than_five_times_the_scope_s_last_training_waits_and_another_scope_s_does_not_count()
    {
        var scope = await _world.AddScopeAsync();
        var other = scope with { ProjectId = await _world.Rows.AddProjectAsync(scope.OrganizationId, World.Stop) };
        await EndAsync(await AddRunAsync(scope, 2));
        await EndAsync(await AddRunAsync(other, 0.1m));

        var five = await AddRunAsync(scope, 10);
        await _world.TrainAsync(five);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(five)).State);
        await EndAsync(five);

        var more = await AddRunAsync(other, 0.51m);
        await _world.TrainAsync(more);

        var waiting = await _world.FindAsync(more);
        Assert.Equal(
            (RunState.AwaitingApproval,
            "the training is estimated at 0.51 USD, more than 5 times the 0.10 USD of the last training"),
            (waiting.State, waiting.Reason));
    }

    [Fact]
    public async Task After_seven_days_without_an_answer_it_is_skipped_with_the_figures()
    {
        var run = await AddWaitingRunAsync(60);
        await AddAdminAsync((await _world.FindAsync(run)).OrganizationId);
        await _world.Clock.AdvanceAsync(TimeSpan.FromDays(7) - TimeSpan.FromHours(1), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(RunState.AwaitingApproval, (await _world.FindAsync(run)).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(2), World.Stop);
        Assert.False(await ApproveAsync(run, 60));
        await _world.SweepAsync();

        var ended = await _world.FindAsync(run);
        Assert.Equal(
            (RunState.Skipped,
            "nobody has approved it in time: the training is estimated at 60.00 USD, more than the 50.00 USD that may be spent "
            + "without an approval"),
            (ended.State, ended.Reason));
        Assert.Equal(0, _world.CallsFor(run));
        Assert.Equal(
            "Training skipped", await _world.Rows.ScalarAsync<string>("select title from kb.notifications", World.Stop));
        Assert.False(await ApproveAsync(run, 60));
    }

    [Fact]
    public async Task No_sweep_and_no_message_takes_it_on()
    {
        var run = await AddWaitingRunAsync(60);

        await _world.SweepAsync();
        await _world.TrainAsync(run);
        await _world.PollAsync(run);

        Assert.Equal(RunState.AwaitingApproval, (await _world.FindAsync(run)).State);
        Assert.DoesNotContain(_world.Published.Messages, sent => sent.Topic == Topics.DatasetExported);
    }

    [Fact]
    public async Task It_can_be_cancelled()
    {
        var run = await AddWaitingRunAsync(60);

        Assert.True(await _world.CancelAsync(run, "too dear"));
        await _world.PollAsync(run);

        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelled, "too dear"), (ended.State, ended.Reason));
        Assert.False(await ApproveAsync(run, 60));
    }

    [Fact]
    public async Task It_keeps_the_other_scopes_of_its_organization_from_nothing()
    {
        var scope = await _world.AddScopeAsync();
        var project = scope with { ProjectId = await _world.Rows.AddProjectAsync(scope.OrganizationId, World.Stop) };
        var run = await AddRunAsync(scope, 60);
        await _world.TrainAsync(run);
        Assert.False(GeneralTraining.IsOnItsWay((await _world.FindAsync(run)).State));

        var other = await AddRunAsync(project, 5);
        await _world.TrainAsync(other);

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(other)).State);
    }

    [Fact]
    public async Task What_may_not_be_paid_for_anyway_is_refused_and_asks_nobody()
    {
        _world.Spending = new() { DefaultMonthlyLimitUsd = 59 };
        var run = await AddRunAsync(await _world.AddScopeAsync(), 60);

        await _world.TrainAsync(run);

        Assert.Equal(RunState.Skipped, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task The_database_takes_no_way_around_a_person()
    {
        var run = await AddWaitingRunAsync(60);

        await RefusedAsync($"update ml.training_runs set state = 'exported' where id = '{run}'");
        await RefusedAsync($"update ml.training_runs set state = 'creating' where id = '{run}'");
        await RefusedAsync(
            $"""
            update ml.training_runs
            set    state = 'exported', approved_usd = 60, approved_by = 'schedule:0190', approved_at = now()
            where  id = '{run}'
            """);
        await RefusedAsync(
            $"""
            update ml.training_runs
            set    state = 'exported', approved_usd = 61, approved_by = 'user:ada', approved_at = now()
            where  id = '{run}'
            """);
        await RefusedAsync(
            $"""
            update ml.training_runs
            set    approved_usd = 60, approved_by = 'user:ada', approved_at = now()
            where  id = '{run}'
            """);

        async Task RefusedAsync(string sql) => Assert.Equal(
            "23514", (await Assert.ThrowsAsync<PostgresException>(() => _world.Rows.ExecuteAsync(sql, World.Stop))).SqlState);
    }

    // 100,000 tokens and 10 USD a million make 1 USD an epoch.
    private Task<RunId> AddRunAsync(Scope scope, decimal usd) => _world.AddExportedRunAsync(
        scope, new TuningParameters { BaseModel = "gemini-3.5-flash", Epochs = 1 },
        dataset => dataset with { EstimatedTokens = (long)(usd * 100_000) });

    private async Task<RunId> AddWaitingRunAsync(decimal usd)
    {
        var run = await AddRunAsync(await _world.AddScopeAsync(), usd);
        await _world.TrainAsync(run);
        Assert.Equal(RunState.AwaitingApproval, (await _world.FindAsync(run)).State);
        return run;
    }

    private async Task<bool> ApproveAsync(RunId run, decimal usd, string? reason = null)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        return (await db.ApproveRunAsync(run, "user:ada", usd, reason, Now, World.Stop)).IsApproved;
    }

    // Through the real steps, so that its attempt is one that had a job.
    private async Task EndAsync(RunId run)
    {
        await _world.TrainAsync(run);
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);
        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    private Task<Guid> AddAdminAsync(Guid organization) => _world.Rows.ScalarAsync<Guid>(
        $"""
        with person as (
            insert into core.user_profiles (zitadel_user_id) values ('admin') returning id
        )
        insert into kb.organization_memberships (organization_id, user_id, role)
        select '{organization}', id, 'org_admin'
        from   person
        returning user_id
        """,
        World.Stop);
}
