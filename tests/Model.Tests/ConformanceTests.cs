using FeedbackLoop.Model.Pipeline;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Model;

/// <summary>
/// The model and the database judge alike: what happens to a run's rows on random ways through the model is accepted by
/// <c>run_guard</c>, <c>attempt_guard</c>, their constraints and indexes, and in every situation on the way each step that the
/// model knows no guard to allow is refused.
/// </summary>
public sealed class ConformanceTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Walks = 200;
    private const int LongestWalk = 60;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_database_accepts_and_refuses_what_the_model_does()
    {
        await using var database = await postgres.CreateDatabaseAsync(Stop);
        var model = new PipelineModel(new Bounds { MaxTries = 2, MayBeUnreadable = true }, Faults.None);
        var random = new Random(1);
        var judged = new HashSet<Situation>();
        var changes = 0;
        for (var walk = 0; walk < Walks; walk++)
        {
            await using var rows = await RunRows.StartAsync(database, Stop);
            var (state, next) = (model.Start, new List<(byte Action, PipelineState State)>());
            for (var step = 0; step < LongestWalk; step++)
            {
                next.Clear();
                model.AddNext(state, next);
                if (next.Count == 0)
                {
                    break;
                }

                var (action, after) = next[random.Next(next.Count)];
                try
                {
                    changes += await rows.FollowAsync(state, after, Stop);
                }
                catch (Npgsql.PostgresException e)
                {
                    Assert.Fail($"{model.NameOf(action)}: {e.MessageText}\n{model.Describe(state)}\n{model.Describe(after)}");
                }

                state = after;
                if (judged.Add(Situation.Of(state)))
                {
                    Assert.Equal([], await rows.ListDifferencesAsync(state, Stop));
                }
            }
        }

        output.WriteLine($"{Walks} walks, {changes} changes of rows accepted, {judged.Count} situations judged");
        Assert.True(changes > 5 * Walks);
        Assert.Contains(judged, situation => situation.Second != AttemptStep.None);
        Assert.Contains(judged, situation => situation.Run == RunStep.Succeeded);
    }
}
