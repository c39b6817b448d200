using FeedbackLoop.Model.Pipeline;

namespace FeedbackLoop.Model;

/// <summary>
/// What was wrong once is put back into the model, one at a time, and the search must find it: else it would not find
/// the
/// next one either. The lengths are those of the shortest stories, so that a change of the model shows.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(nameof(Faults.ExportNamesWithoutEpoch), "files", Promises.NamedObjectsExist, 9)]
    [InlineData(nameof(Faults.CleanupForgetsLiveWorkers), "files", Promises.NamedObjectsExist, 5)]
    [InlineData(nameof(Faults.ListEndsInOneDelivery), "list", Promises.NoRunFailsForTheList, 5)]
    [InlineData(nameof(Faults.PartOfTheListIsProof), "money", Promises.OneBillableJob, 21)]
    public void A_state_breaks_the_promise(string fault, string within, string promise, int steps)
    {
        var found = Searches.Explore(Named(within), Enum.Parse<Faults>(fault), Stop);
        output.WriteLine($"{fault}: {found}");
        Assert.Equal(promise, found.Broken);
        Assert.Equal(steps, found.Steps);
    }

    /// <summary>
    /// What the protocol around the one call leans on: each of these alone is more than an insurance.
    /// </summary>
    [Theory]
    [InlineData(nameof(Faults.NoQuietTime), 23)]
    [InlineData(nameof(Faults.NoTokenFence), 26)]
    [InlineData(nameof(Faults.CallsLandAfterQuietTime), 24)]
    public void Without_it_there_are_two_jobs(string fault, int steps)
    {
        var found = Searches.Explore(Searches.Fences, Enum.Parse<Faults>(fault), Stop);
        output.WriteLine($"{fault}: {found}");
        Assert.Equal(Promises.OneBillableJob, found.Broken);
        Assert.Equal(steps, found.Steps);
    }

    /// <summary>
    /// That the object is deleted shortens the odds, and no more: a worker that slept may have copied it again.
    /// </summary>
    [Fact]
    public void Without_the_deletion_of_the_dataset_there_is_one_job_all_the_same() =>
        Assert.Null(Searches.Explore(Searches.Fences, Faults.NoDatasetFence, Stop).Broken);

    [Theory]
    [InlineData(nameof(Faults.OutboxInIdOrder), Promises.MessagesGoOut, 2)]
    [InlineData(nameof(Faults.RelayTakesTheSweep), Promises.RunsEnd, 3)]
    [InlineData(nameof(Faults.OverdueStopsAtFirstFailure), Promises.RunsEnd, 19)]
    [InlineData(nameof(Faults.OverdueAsksFirst), Promises.RunsEnd, 17)]
    public void A_run_goes_on_for_ever(string fault, string promise, int steps)
    {
        // Where the other tenant's run is the one that cannot be read, ours can.
        var bounds = Searches.Neighbours with
        {
            HasPeople = false,
            HasApproval = false,
            MayBeUnreadable = fault == nameof(Faults.OverdueAsksFirst),
        };
        var explored = Searches.Explore(bounds, Enum.Parse<Faults>(fault), Stop);
        Assert.Null(explored.Broken);
        var found = promise == Promises.MessagesGoOut
            ? Searches.LookForEndless(explored, promise, state => state.Message != Message.InOutbox)
            : Searches.LookForEndless(explored, promise, Searches.HasEnded);
        output.WriteLine($"{fault}: {found}");
        Assert.Equal(promise, found.Broken);
        Assert.Equal(steps, found.Steps);
    }

    private static Bounds Named(string within) => within switch
    {
        "files" => Searches.Files,
        "list" => Searches.LongList,
        "money" => Searches.Fences,
        _ => throw new ArgumentOutOfRangeException(nameof(within), within, "no such search"),
    };
}
