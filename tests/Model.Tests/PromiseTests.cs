using FeedbackLoop.Model.Pipeline;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Model;

/// <summary>
/// Every order of events within the bounds, and no promise broken. What is explored: <c>docs/promises.md</c>.
/// </summary>
public sealed class PromiseTests(ITestOutputHelper output)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_run_has_one_job_that_costs_money_whatever_two_workers_do()
    {
        var explored = Explore(Searches.Money);
        Holds(Searches.LookForEndless(explored, Promises.RunsEnd, Searches.HasEnded));
        Reaches(explored, RunStep.Succeeded, RunStep.Failed, RunStep.Skipped, RunStep.Cancelled, RunStep.NeedsOperator);
    }

    [Fact]
    public void What_a_dataset_names_is_there_whatever_two_exports_do()
    {
        var explored = Explore(Searches.Files);
        Holds(Searches.LookForEndless(explored, Promises.RunsEnd, Searches.HasEnded));
        Reaches(explored, RunStep.Exporting, RunStep.Exported, RunStep.Skipped, RunStep.Failed);
    }

    [Fact]
    public void A_run_ends_or_reaches_a_person_though_another_tenants_never_does()
    {
        var explored = Explore(Searches.Neighbours);
        Holds(Searches.LookForEndless(explored, Promises.RunsEnd, Searches.HasEnded));
        Holds(Searches.LookForEndless(explored, Promises.MessagesGoOut, state => state.Message != Message.InOutbox));
        Holds(Searches.LookForEndless(
            explored, Promises.PoisonedRunsReachAPerson, state => state.Neighbour == Neighbour.NeedsOperator,
            Act.EndNeighbour, Act.NeighbourDeadline));
        Reaches(explored, [.. RunSteps.All]);
    }

    [Fact]
    public void No_run_fails_for_the_length_of_the_list()
    {
        var explored = Explore(Searches.LongList);
        Holds(Searches.LookForEndless(explored, Promises.RunsEnd, Searches.HasEnded));
        Reaches(explored, RunStep.Tuning, RunStep.Succeeded);
    }

    [Fact]
    public void The_model_knows_every_state_of_a_run() =>
        Assert.Equal(RunTransitions.All.Order(), RunSteps.All.Select(RunSteps.NameOf).Order());

    private Finding Explore(Bounds bounds)
    {
        var explored = Searches.Explore(bounds, Faults.None, Stop);
        output.WriteLine($"{explored}");
        Holds(explored);
        return explored;
    }

    private static void Holds(Finding finding) => Assert.True(finding.Broken is null, finding.ToString());

    // A search that never gets anywhere breaks no promise either.
    private static void Reaches(Finding explored, params RunStep[] steps)
    {
        var reached = new HashSet<RunStep>();
        for (var state = 0; state < explored.Search.Count; state++)
        {
            reached.Add(explored.Search[state].Run);
        }

        Assert.Empty(steps.Except(reached));
    }
}
