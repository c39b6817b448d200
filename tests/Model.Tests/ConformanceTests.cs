using FeedbackLoop.Model.Checking;
using FeedbackLoop.Model.Pipeline;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Model;

/// <summary>
/// The model and the database judge alike: what happens to a run's rows on random ways through the model is accepted by
/// <c>run_guard</c>, <c>attempt_guard</c>, their constraints and indexes, and in every situation on the way each step
/// that the
/// model knows no guard to allow is refused.
/// </summary>
public sealed class ConformanceTests(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Walks = 200;
    private const int LongestWalk = 150;

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
                if (next.Count == 0 || RunSteps.IsFinal(state.Run))
                {
                    break;
                }

                var (action, after) = Choose(next, random);
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
                    var differences = await rows.ListDifferencesAsync(state, Stop);
                    Assert.True(differences.Count == 0, $"{string.Join("; ", differences)}\n{model.Describe(state)}");
                }
            }
        }

        output.WriteLine($"{Walks} walks, {changes} changes of rows accepted, {judged.Count} situations judged");
        Assert.True(changes > 3 * Walks);
        Assert.Contains(judged, situation => situation.Second != AttemptStep.None);
        Assert.Contains(judged, situation => situation.Run == RunStep.Succeeded);
        Assert.Contains(judged, situation => situation.Run == RunStep.NeedsOperator);
        Assert.True(judged.Count >= 40);
    }

    // Misfortune is rare enough for a walk to get far.
    private static (byte Action, PipelineState State) Choose(List<(byte Action, PipelineState State)> next, Random random)
    {
        var weights = next.Select(each => Acts.FairnessOf((Act)each.Action) == Fairness.Strong ? 8 : 1).ToList();
        var place = random.Next(weights.Sum());
        var index = 0;
        while (place >= weights[index])
        {
            place -= weights[index++];
        }

        return next[index];
    }
}
