using FeedbackLoop.Model.Checking;
using FeedbackLoop.Model.Pipeline;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Model;

/// <summary>
/// The model and the database judge alike: what happens to a run's rows on ways through the model is accepted by
/// <c>run_guard</c>, <c>attempt_guard</c>, their constraints and indexes, and in every situation on the way each step
/// that the model takes to be forbidden is refused.
/// </summary>
public sealed class ConformanceTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Ways = 200;
    private const int MostStates = 5_000_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_database_accepts_and_refuses_what_the_model_does()
    {
        await using var database = await postgres.CreateDatabaseAsync(Stop);
        var model = new PipelineModel(
            new Bounds { Workers = 1, LastAttempt = 2, MayBeUnreadable = true }, Faults.None);
        var search = Exploration<PipelineState>.Of(model, MostStates, Stop);
        var random = new Random(1);

        // Of every state of the run in turn: few of all states are successes.
        var ends = Enumerable.Range(0, search.Count)
            .GroupBy(state => search[state].Run).Select(states => states.ToArray()).ToArray();
        var judged = new HashSet<Situation>();
        var changes = 0;
        for (var way = 0; way < Ways; way++)
        {
            await using var rows = await RunRows.StartAsync(database, Stop);
            var path = search.PathTo(random.GetItems(ends[way % ends.Length], 1)[0]);
            foreach (var (from, to) in path.Zip(path.Skip(1)))
            {
                try
                {
                    changes += await rows.FollowAsync(search[from], search[to], Stop);
                }
                catch (PostgresException e)
                {
                    Assert.Fail($"{e.MessageText}\n{string.Join('\n', search.WayTo(to))}");
                }

                if (judged.Add(Situation.Of(search[to])))
                {
                    var differences = await rows.ListDifferencesAsync(search[to], Stop);
                    Assert.True(
                        differences.Count == 0, $"{string.Join("; ", differences)}\n{model.Describe(search[to])}");
                }
            }
        }

        output.WriteLine($"{Ways} ways, {changes} changes of rows accepted, {judged.Count} situations judged: "
            + string.Join(", ", judged.CountBy(each => each.Run).Select(each => $"{each.Value} {each.Key}")));
        Assert.True(changes > 5 * Ways);
        Assert.Contains(judged, situation => situation.Second != AttemptStep.None);
        Assert.Contains(judged, situation => situation.Run == RunStep.Succeeded);
        Assert.Contains(judged, situation => situation.Run == RunStep.NeedsOperator);
        Assert.True(judged.Count >= 60);
    }
}
