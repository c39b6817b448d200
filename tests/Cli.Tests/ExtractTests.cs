using System.Text.Json;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>A project's model on a text, with the whole chain behind it.</summary>
public sealed class ExtractTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Text = "The Grid Dispatcher is a system of the control room.";

    private Chain _chain = null!; // xunit starts it before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _chain = await Chain.StartAsync(postgres);

    public ValueTask DisposeAsync() => _chain.DisposeAsync();

    [Fact]
    public async Task What_a_model_finds_is_shown_and_not_stored()
    {
        var before = await CountAsync();

        var result = await RunAsync(Text, "-", "--project", $"{_chain.Project}", "--json");
        var forPeople = await RunAsync(Text, "-", "--project", $"{_chain.Project}");

        var json = result.Json;
        Assert.Equal(("base", "neither the project nor its organization has a ready model"),
            (json.GetProperty("tier").GetString(), json.GetProperty("reason").GetString()));
        Assert.True(json.GetProperty("inputTokens").GetInt32() > 100);
        Assert.True(json.GetProperty("costUsd").GetDecimal() > 0);
        Assert.Matches("^[0-9a-f]{64}$", json.GetProperty("promptHash").GetString());
        Assert.Equal(JsonValueKind.Array, json.GetProperty("entities").ValueKind);
        Assert.StartsWith("The base model gemini-3.1-flash-lite, because ", forPeople.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0, before), (result.ExitCode, forPeople.ExitCode, await CountAsync()));
    }

    [Fact]
    public async Task A_model_whose_endpoint_is_gone_leaves_its_place_with_a_warning()
    {
        await _chain.Rows.AddReadyModelAsync(new Scope(_chain.Organization, _chain.Project));

        var result = await RunAsync(Text, "-", "--project", $"{_chain.Project}", "--json");
        var forPeople = await RunAsync(Text, "-", "--project", $"{_chain.Project}");
        var plain = await RunAsync(Text, "-", "--project", $"{_chain.Project}", "--base", "--json");

        Assert.Equal("base", result.Json.GetProperty("tier").GetString());
        var fallback = Assert.Single(result.Json.GetProperty("fallbacks").EnumerateArray());
        Assert.Equal("project", fallback.GetProperty("tier").GetString());
        Assert.Contains("The project model does not answer: ", forPeople.Error, StringComparison.Ordinal);
        Assert.Empty(plain.Json.GetProperty("fallbacks").EnumerateArray());
        Assert.Equal("it was asked for", plain.Json.GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData(2, "- has no text", "  \n", "-")]
    [InlineData(2, "/no/such/file cannot be read: ", "", "/no/such/file")]
    [InlineData(3, "there is no project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10", Text, "-")]
    public async Task What_cannot_be_asked_is_refused(int exitCode, string problem, string input, string file)
    {
        var result = await RunAsync(input, file, "--project", "0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10");

        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"error: {problem}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_is_no_chunk_is_refused_with_its_length()
    {
        var result = await RunAsync(new string('x', 1_000_001), "-", "--project", $"{_chain.Project}");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("- has 1,000,001 characters, and a chunk has at most 1,000,000", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(string input, params string[] args) =>
        FeedbackloopProcess.RunAsync(_chain.Environment, input, ["extract", .. args]);

    private Task<long> CountAsync() => _chain.Database.ScalarAsync<long>(
        "select (select count(*) from kb.graph_objects) + (select count(*) from ml.extraction_results)", Cancellation);
}
