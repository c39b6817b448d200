using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

public sealed class TransitionTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_code_and_the_database_allow_the_same_steps()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var database = await postgres.CreateDatabaseAsync(cancellationToken);
        await using var db = await database.Database.OpenConnectionAsync(cancellationToken);

        var different = new List<string>();
        foreach (var (from, to) in Pairs())
        {
            var allowed = await db.ExecuteScalarAsync<bool>(Sql.Command(
                "select ml.run_may_move(@from, @to)", new { from, to }, cancellationToken));
            if (allowed != RunTransitions.IsAllowed(from, to))
            {
                different.Add($"{from} -> {to}");
            }
        }

        Assert.Empty(different);
    }

    [Fact]
    public async Task The_code_and_the_database_know_the_same_final_states()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var database = await postgres.CreateDatabaseAsync(cancellationToken);
        await using var db = await database.Database.OpenConnectionAsync(cancellationToken);

        foreach (var state in RunTransitions.All)
        {
            var isFinal = await db.ExecuteScalarAsync<bool>(Sql.Command(
                "select ml.run_is_final(@state)", new { state }, cancellationToken));

            Assert.Equal(RunTransitions.IsFinal(state), isFinal);
        }
    }

    private static IEnumerable<(string From, string To)> Pairs() =>
        from one in RunTransitions.All from other in RunTransitions.All select (one, other);
}
