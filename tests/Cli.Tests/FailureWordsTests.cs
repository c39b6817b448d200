using System.Net.Sockets;
using Npgsql;

namespace FeedbackLoop.Cli;

public sealed class FailureWordsTests
{
    [Theory]
    [InlineData("28P01", 4, "Check user and password")]
    [InlineData("28000", 4, "Check user and password")]
    [InlineData("3D000", 4, "Create it")]
    [InlineData("42501", 4, "Connect as the owner")]
    [InlineData("53300", 4, "Try again")]
    [InlineData("42P01", 3, "Run: feedbackloop migrate")]
    [InlineData("3F000", 3, "Run: feedbackloop migrate")]
    [InlineData("42703", 3, "Run: feedbackloop migrate")]
    public void An_error_of_the_database_comes_with_a_remedy(string state, int exitCode, string remedy)
    {
        var failure = FailureWords.Explain(
            new InvalidOperationException("outer", new PostgresException("what it said", "ERROR", "ERROR", state)));

        Assert.Equal(exitCode, failure.ExitCode);
        Assert.Contains("what it said", failure.Problem, StringComparison.Ordinal);
        Assert.StartsWith(remedy, failure.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_does_not_answer_is_unreachable() =>
        Assert.StartsWith(
            "the database cannot be reached",
            FailureWords.Explain(new NpgsqlException("no answer", new SocketException())).Problem,
            StringComparison.Ordinal);

    [Fact]
    public void A_surprise_is_named_in_one_line()
    {
        var failure = FailureWords.Explain(new InvalidOperationException("first\nsecond"));

        Assert.Equal((4, "unexpected InvalidOperationException: first"), (failure.ExitCode, failure.Problem));
    }
}
