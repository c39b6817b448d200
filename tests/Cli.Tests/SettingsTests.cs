namespace FeedbackLoop.Cli;

/// <summary>Where the settings come from, and what is said when they are missing or wrong.</summary>
public sealed class SettingsTests : IDisposable
{
    private const string Id = "0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10";
    private const string Nowhere = "Host=127.0.0.1;Port=1;Database=d;Username=u";

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task A_missing_setting_is_named_with_the_two_ways_to_give_it()
    {
        var result = await RunAsync(new() { ["DATABASE_URL"] = Nowhere }, "train-general-model", "--organization", Id);

        Assert.Equal(
            (2, "error: GoogleCloud:Location is not set\n"
                + "Set GoogleCloud__Location in the environment, or Location of GoogleCloud in the file of --settings.\n"),
            (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task The_file_gives_settings_and_stands_above_the_environment()
    {
        await File.WriteAllTextAsync(
            _file, $$"""{ "Database": { "ConnectionString": "{{Nowhere}}" }, "GoogleCloud": { "Location": "us-central1" } }""",
            TestContext.Current.CancellationToken);

        var result = await RunAsync(
            new() { ["DATABASE_URL"] = "Host=127.0.0.1;Port=2" }, "train-general-model", "--organization", Id, "--settings",
            _file);

        Assert.Equal(4, result.ExitCode);
        Assert.Contains("Failed to connect to 127.0.0.1:1\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=3", "127.0.0.1:3")]
    [InlineData(null, "127.0.0.1:2")]
    public async Task The_option_comes_before_the_variable_and_that_before_the_functions_own(string? option, string address)
    {
        var result = await RunAsync(
            new() { ["DATABASE_URL"] = "Host=127.0.0.1;Port=2", ["Database__ConnectionString"] = "Host=127.0.0.1;Port=1" },
            ["list-models", .. option is null ? Array.Empty<string>() : ["--database", option]]);

        Assert.Contains($"Failed to connect to {address}\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "--settings {0} cannot be read: ")]
    [InlineData("""{"Database":{"ConnectionString":"oops"}}""", "Database:ConnectionString of --settings is no connection to PostgreSQL: ")]
    public async Task A_broken_file_exits_with_2(string content, string problem)
    {
        await File.WriteAllTextAsync(_file, content, TestContext.Current.CancellationToken);

        var result = await RunAsync([], "list-models", "--settings", _file);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(
            $"error: {problem.Replace("{0}", _file, StringComparison.Ordinal)}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_exits_with_2()
    {
        var result = await RunAsync([], "list-models", "--settings", "/nowhere/settings.json");

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("error: --settings /nowhere/settings.json cannot be read: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalogue_that_contradicts_itself_exits_with_2()
    {
        var result = await RunAsync(
            new() { ["DATABASE_URL"] = Nowhere, ["BaseModels__DefaultId"] = "gemini-0" }, "select-model", "--project", Id);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(
            "error: the catalogue of base models is broken: BaseModels:DefaultId: gemini-0 is not a tunable model",
            result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_none_exits_with_2()
    {
        var result = await RunAsync(
            new() { ["DATABASE_URL"] = Nowhere, ["STORAGE_EMULATOR_HOST"] = "http://:x" },
            "export-training-data", "--project", Id, "--output", "gs://datasets/a");

        Assert.Equal(
            (2, "error: STORAGE_EMULATOR_HOST is no address: http://:x\nWrite it as http://host:port or host:port.\n"),
            (result.ExitCode, result.Error));
    }

    [Theory]
    [InlineData("train-general-model", "--organization", Id)]
    [InlineData("train-project-model", "--project", Id)]
    [InlineData("training-status")]
    [InlineData("training-status", Id, "--watch")]
    [InlineData("cancel", Id, "--reason", "r")]
    [InlineData("list-models")]
    [InlineData("select-model", "--project", Id)]
    [InlineData("promote", Id, "--reason", "r")]
    [InlineData("deprecate", Id, "--reason", "r")]
    public async Task A_database_that_is_down_exits_with_4(params string[] args)
    {
        var result = await RunAsync(
            new() { ["DATABASE_URL"] = Nowhere, ["GoogleCloud__Location"] = "us-central1" }, [.. args, "--json"]);

        Assert.Equal(4, result.ExitCode);
        Assert.Equal(
            "the database cannot be reached: Failed to connect to 127.0.0.1:1",
            result.Json.GetProperty("problem").GetString());
    }

    private static Task<CommandResult> RunAsync(Dictionary<string, string?> environment, params string[] args) =>
        FeedbackloopProcess.RunAsync(environment, "", args);
}
