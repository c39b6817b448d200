using FeedbackLoop.Model.Checking;
using FeedbackLoop.Model.Pipeline;

namespace FeedbackLoop.Model;

/// <summary>What a search found.</summary>
/// <param name="Broken">The promise that does not hold; null when all do.</param>
/// <param name="Story">A shortest way to where it is broken, in words.</param>
/// <param name="Steps">Its length.</param>
internal sealed record Finding(Exploration<PipelineState> Search, string? Broken, IReadOnlyList<string> Story, int Steps)
{
    public override string ToString() =>
        $"{Search.Count:n0} states, {Search.Edges.Count:n0} transitions, depth {Search.Depth}, {Search.Took.TotalSeconds:0.0} s"
        + (Broken is null ? "" : $"\nbroken after {Steps} steps: {Broken}\n{string.Join('\n', Story)}");
}

/// <summary>
/// The searches of this suite, each within bounds of its own: all dimensions at once are too many states.
/// </summary>
internal static class Searches
{
    private const int MostStates = 20_000_000;

    /// <summary>Two workers at once around the money: attempts, calls, lists, approval, cancellation.</summary>
    public static Bounds Money { get; } = new() { Start = RunStep.Exported, MaxTries = 2, LastAttempt = 2 };

    /// <summary>The same without people: enough for what breaks when a fence is gone.</summary>
    public static Bounds Fences { get; } = Money with { HasPeople = false, HasApproval = false };

    /// <summary>From the request on with two workers: exports that overlap.</summary>
    public static Bounds Files { get; } = new() { LastAttempt = 1, MaxTries = 3, HasPeople = false };

    /// <summary>Beside a tenant that is poisoned for ever, with messages that must come out of the outbox.</summary>
    public static Bounds Neighbours { get; } = new()
    {
        LastAttempt = 1,
        HasOutbox = true,
        HasNeighbour = true,
        MayBeUnreadable = true,
    };

    /// <summary>A list of jobs that no delivery reads to its end.</summary>
    public static Bounds LongList { get; } = new() { Start = RunStep.Exported, Pages = 3, Workers = 1, LastAttempt = 2 };

    /// <summary>Explores all states, and looks for a state that breaks a promise.</summary>
    public static Finding Explore(Bounds bounds, Faults faults, CancellationToken cancellationToken)
    {
        var search = Exploration<PipelineState>.Of(new PipelineModel(bounds, faults), MostStates, cancellationToken);
        if (search.Violation is not { } violation)
        {
            return new Finding(search, null, [], 0);
        }

        var way = search.WayTo(violation.State);
        return new Finding(search, violation.Promise, way, way.Count - 1);
    }

    /// <summary>
    /// Looks for a way to go on for ever without coming to <paramref name="isGoal"/>, though time passes and the sweep
    /// comes.
    /// </summary>
    /// <param name="alsoOwing">Actions that owe to happen here, besides those that always do.</param>
    public static Finding LookForEndless(
        Finding explored, string promise, Func<PipelineState, bool> isGoal, params Act[] alsoOwing)
    {
        var search = explored.Search;
        var cycles = new FairCycles(
            search.Edges, search.Count,
            action => alsoOwing.Contains((Act)action) ? Fairness.Strong : Acts.FairnessOf((Act)action));
        if (cycles.FindOutside(state => isGoal(search[state])) is not { } endless)
        {
            return new Finding(search, null, [], 0);
        }

        var members = endless.ToHashSet();
        var recurring = endless
            .SelectMany(state => search.Edges.Of(state))
            .Where(edge => members.Contains(edge.Target))
            .Select(edge => Acts.NameOf((Act)edge.Action))
            .Distinct().Order().ToList();
        var way = search.WayTo(endless[0]);
        return new Finding(
            search, promise,
            [
                .. way,
                $"and so for ever, in {endless.Count} states: "
                    + (recurring.Count == 0 ? "nothing happens" : string.Join("; ", recurring)),
            ],
            way.Count - 1);
    }

    public static bool HasEnded(PipelineState state) =>
        RunSteps.IsFinal(state.Run) || state.Run == RunStep.NeedsOperator;
}
