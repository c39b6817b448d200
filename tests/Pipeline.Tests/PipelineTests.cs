using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>
/// From a request to a ready model, through every function over HTTP, with the messages in disorder and with a stop after
/// every side effect. What is left at the end is what a calm run leaves, and nothing is paid for twice.
/// </summary>
public sealed class PipelineTests(PostgresFixture postgres)
{
    private const string Project = "retail-banking";

    private static readonly SemaphoreSlim CalmOnce = new(1);
    private static string? _calm;

    public static TheoryData<string> Failpoints => [.. Failpoint.All];

    [Fact]
    public async Task A_calm_run_ends_with_a_general_model_in_use_and_a_project_model_on_top_that_is_kept_back()
    {
        var calm = await CalmAsync();

        Assert.Contains("succeeded", calm, StringComparison.Ordinal);
        foreach (var status in (string[])["ready", "deprecated"])
        {
            Assert.Single(calm.Split('\n'), row => row.Contains($"| {status} |", StringComparison.Ordinal));
        }

        Assert.EndsWith("0 orphans", calm, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Messages_that_come_three_times_and_in_any_order_change_nothing(int seed)
    {
        await using var chain = await Chain.StartAsync(postgres);
        chain.Local.PubSub!.Faults.ConcurrentDeliveries = 2;
        chain.Local.PubSub.Faults.LateDeliveries = 1;
        chain.Local.PubSub.Faults.Shuffle(seed);

        Assert.Equal(await CalmAsync(), await TrainBothAsync(chain));
        AssertOneJobPerRun(chain);
    }

    [Fact]
    public async Task Lost_messages_are_made_up_for_by_the_sweep()
    {
        await using var chain = await Chain.StartAsync(postgres);
        chain.Local.PubSub!.Faults.Lose(0.5, seed: 5);

        Assert.Equal(await CalmAsync(), await TrainBothAsync(chain));
        AssertOneJobPerRun(chain);
    }

    [Theory]
    [MemberData(nameof(Failpoints))]
    public async Task A_worker_that_dies_after_a_side_effect_leaves_nothing_undone_and_nothing_done_twice(string failpoint)
    {
        await using var chain = await Chain.StartAsync(postgres);
        var armed = 1;
        chain.Failpoints.Handler = async name =>
        {
            if (name == failpoint && Interlocked.Exchange(ref armed, 0) == 1)
            {
                await chain.DieAsync();
            }
        };

        Assert.Equal(await CalmAsync(), await TrainBothAsync(chain));
        Assert.Equal(0, armed);
        AssertOneJobPerRun(chain);
    }

    private async Task<string> CalmAsync()
    {
        await CalmOnce.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_calm is null)
            {
                await using var chain = await Chain.StartAsync(postgres);
                _calm = await TrainBothAsync(chain);
                AssertOneJobPerRun(chain);
            }

            return _calm;
        }
        finally
        {
            CalmOnce.Release();
        }
    }

    private static async Task<string> TrainBothAsync(Chain chain)
    {
        var general = await chain.RunToEndAsync(await chain.RequestAsync(project: null));
        Assert.True(general.State == RunState.Succeeded, $"the general run ended {general.State}: {general.Reason}");
        var project = await chain.RunToEndAsync(await chain.RequestAsync(Project));
        Assert.True(project.State == RunState.Succeeded, $"the project run ended {project.State}: {project.Reason}");

        // What is still under way must not change anything either, nor what a dead relay had taken.
        await chain.Database.Clock.AdvanceAsync(OutboxRelay.Lease, TestContext.Current.CancellationToken);
        await chain.Local.TickAsync(TestContext.Current.CancellationToken);
        await chain.SettleAsync();
        return await chain.DescribeAsync();
    }

    private static void AssertOneJobPerRun(Chain chain)
    {
        var runs = chain.Local.Vertex.Jobs.GroupBy(job => job.Labels["run"]).ToList();
        Assert.Equal(2, runs.Count);
        Assert.All(runs, jobs => Assert.Single(jobs));
    }
}
