using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>The product deletes a project or an organization while its training is under way: no job is lost sight of.</summary>
public sealed class GoneScopeTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Project = "delete from kb.projects where id = @project";
    private const string ProjectIsMarked = "update kb.projects set deleted_at = now() where id = @project";
    private const string ProjectHasMoved =
        """
        with o as (insert into kb.orgs (name) values ('o') returning id)
        update kb.projects set organization_id = o.id from o where kb.projects.id = @project
        """;

    private const string Organization = "delete from kb.orgs where id = @organization";
    private const string OrganizationIsMarked = "update kb.orgs set deleted_at = now() where id = @organization";

    private World _world = null!; // set before each test

    public static TheoryData<string, string> Deletions => new()
    {
        { Project, "the product has deleted the run's project" },
        { ProjectIsMarked, "the product has deleted the run's project" },
        { ProjectHasMoved, "the product has deleted the run's project" },
        { Organization, "the product has deleted the run's organization" },
        { OrganizationIsMarked, "the product has deleted the run's organization" },
    };

    public async ValueTask InitializeAsync() =>
        _world = await World.StartAsync(postgres, running: TimeSpan.FromMilliseconds(300));

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Deletions))]
    public async Task A_job_at_work_is_cancelled_and_looked_at_to_its_end(string deletion, string reason)
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var scope = await _world.AddScopeAsync(isProject: true);
        var run = await _world.AddExportedRunAsync(scope);
        await _world.TrainAsync(run);

        await DeleteAsync(deletion, scope);
        await _world.SweepAsync();

        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);
        Assert.Null(Assert.Single(await _world.AttemptsAsync(run)).JobEndedAt);
        await _world.FinishJobAsync(run);
        Assert.Equal(JobState.Cancelled, Assert.Single(_world.Vertex.Jobs).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        await _world.SweepAsync();

        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelled, reason), (ended.State, ended.Reason));
        Assert.NotNull(Assert.Single(await _world.AttemptsAsync(run)).JobEndedAt);
        Assert.Equal(
            $"system:sweep cancel-training run {run} {reason}",
            await _world.Rows.ScalarAsync<string>(
                "select concat_ws(' ', actor, action, subject, reason) from ml.audit_log where action = 'cancel-training'",
                World.Stop));
    }

    [Theory]
    [InlineData(Project)]
    [InlineData(Organization)]
    public async Task A_job_that_is_done_too_early_leaves_a_model_by_name_that_nobody_uses(string deletion)
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        var run = await _world.AddExportedRunAsync(scope);
        await _world.TrainAsync(run);
        await _world.FinishJobAsync(run);
        await DeleteAsync(deletion, scope);

        await _world.SweepAsync();

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        var model = await _world.FindModelAsync(run);
        Assert.Equal(Registry.ModelStatus.Failed, model!.Status); // it was registered to be revoked
        Assert.NotNull(model.VertexEndpoint);
    }

    [Fact]
    public async Task A_call_without_an_answer_is_settled_first()
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        var run = await _world.AddExportedRunAsync(scope);
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        await _world.DieAtAsync(Failpoint.JobCreated, () => _world.TrainAsync(run));
        await DeleteAsync(Project, scope);

        await _world.SweepAsync();
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);
        Assert.Null(Assert.Single(await _world.AttemptsAsync(run)).TuningJob);

        // The worker never comes back; its job is found by its label, and stopped.
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(10), World.Stop);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        await _world.SweepAsync();
        await _world.FinishJobAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        await _world.SweepAsync();

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.Equal(JobState.Cancelled, Assert.Single(_world.Vertex.Jobs).State);
    }

    [Theory]
    [MemberData(nameof(Deletions))]
    public async Task No_job_is_asked_for_any_more(string deletion, string reason)
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        var run = await _world.AddExportedRunAsync(scope);
        await DeleteAsync(deletion, scope);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));
        await _world.PollAsync(run);

        Assert.Equal(0, _world.CallsFor(run));
        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelled, reason), (ended.State, ended.Reason));
    }

    [Fact]
    public async Task The_organization_s_own_training_and_other_projects_go_on()
    {
        var gone = await _world.AddScopeAsync(isProject: true);
        var general = await _world.AddExportedRunAsync(gone with { ProjectId = null });
        var other = await _world.AddExportedRunAsync(
            gone with { ProjectId = await _world.Rows.AddProjectAsync(gone.OrganizationId, World.Stop) });
        await DeleteAsync(Project, gone);

        await _world.SweepAsync(TimeSpan.FromHours(1));

        Assert.Equal(RunState.Exported, (await _world.FindAsync(general)).State);
        Assert.Equal(RunState.Exported, (await _world.FindAsync(other)).State);
    }

    [Fact]
    public async Task A_run_that_rests_with_an_operator_goes_on_resting()
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        var run = await _world.AddExportedRunAsync(scope);
        await _world.Rows.ExecuteAsync(
            "set session_replication_role = replica; update ml.training_runs set state = 'needs_operator', reason = 'look'",
            World.Stop);
        await DeleteAsync(Project, scope);

        await _world.SweepAsync();

        Assert.Equal((RunState.NeedsOperator, "look"), ((await _world.FindAsync(run)).State, (await _world.FindAsync(run)).Reason));
    }

    [Theory]
    [InlineData(Organization, null)]
    [InlineData(OrganizationIsMarked, "organization")]
    public async Task What_it_costs_is_listed_by_the_id_when_no_name_is_left(string deletion, string? name)
    {
        var scope = await _world.AddScopeAsync();
        await _world.TrainAsync(await _world.AddExportedRunAsync(scope));
        await DeleteAsync(deletion, scope);

        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var listed = Assert.Single(await db.ListSpendingAsync(
            10, _world.Terms, TimeProvider.System.GetUtcNow(), World.Stop));

        Assert.Equal(name ?? $"{scope.OrganizationId}", listed.Name);
        Assert.Equal(scope.OrganizationId, listed.Spending.OrganizationId);
    }

    private Task DeleteAsync(string deletion, Scope scope) => _world.Rows.ExecuteAsync(
        deletion
            .Replace("@project", $"'{scope.ProjectId}'", StringComparison.Ordinal)
            .Replace("@organization", $"'{scope.OrganizationId}'", StringComparison.Ordinal),
        World.Stop);
}
