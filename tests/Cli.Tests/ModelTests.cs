using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>The registry by command: what there is, what is used, and what a person changes.</summary>
public sealed class ModelTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Nobody = "01a21436-f239-7cf6-a9e7-a0252450fbb8";

    private TestDatabase _database = null!;  // xunit initializes it before each test
    private TrainingRows _rows = null!;
    private Scope _organization;
    private Scope _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Models_are_listed_newest_first_and_can_be_narrowed()
    {
        var first = await _rows.AddReadyModelAsync(_organization);
        var second = await _rows.AddReadyModelAsync(_organization);
        var project = await _rows.AddReadyModelAsync(_project);
        var training = await _rows.AddModelAsync(await _rows.AddOrganizationAsync());

        Assert.Equal([training, project, second, first], await ListAsync());
        Assert.Equal([project, second, first], await ListAsync("--organization", $"{_organization.OrganizationId}"));
        Assert.Equal([project], await ListAsync("--project", $"{_project.ProjectId}"));
        Assert.Equal([first], await ListAsync("--status", "deprecated"));
        Assert.Equal([training], await ListAsync("--limit", "1"));
        var table = await RunAsync("list-models", "--project", $"{_project.ProjectId}");
        Assert.Matches($"^MODEL .*\n{project}  1        ready   organization / project  gemini-3.1-flash-lite  3  .*Z\n$", table.Output);
    }

    [Fact]
    public async Task Without_models_the_list_is_empty()
    {
        Assert.Equal("No models.\n", (await RunAsync("list-models")).Output);
        Assert.Equal("""{"models":[]}""", (await RunAsync("list-models", "--json")).Json.ToString());
    }

    [Fact]
    public async Task The_selection_goes_from_the_base_model_to_the_general_one_to_the_projects_own()
    {
        var none = await SelectAsync();
        var general = await _rows.AddReadyModelAsync(_organization);
        var withGeneral = await SelectAsync();
        var own = await _rows.AddReadyModelAsync(_project);
        var withOwn = await SelectAsync();
        var forPeople = await RunAsync("select-model", "--project", $"{_project.ProjectId}");

        Assert.Equal(("base", null, "gemini-3.1-flash-lite"), none);
        Assert.Equal(("general", $"{general}", "gemini-3.1-flash-lite"), withGeneral);
        Assert.Equal(("project", $"{own}", "gemini-3.1-flash-lite"), withOwn);
        Assert.Equal(
            $"The project model {own}, version 1, tuned from gemini-3.1-flash-lite.\n"
            + "Because the project has a ready model.\n"
            + $"projects/demo/locations/us-central1/endpoints/{own}\n",
            forPeople.Output);
    }

    [Fact]
    public async Task A_rollback_brings_the_old_model_back_and_says_who_wanted_it()
    {
        var old = await _rows.AddReadyModelAsync(_project);
        var current = await _rows.AddReadyModelAsync(_project);

        var result = await RunAsync("promote", $"{old}", "--reason", "answers got worse", "--yes", "--json");
        var again = await RunAsync("promote", $"{old}", "--reason", "answers got worse");

        Assert.Equal(
            $$"""{"modelId":"{{old}}","status":"ready","replaced":"{{current}}"}""", result.Json.ToString());
        Assert.Equal((3, $"error: model {old} is ready already\n"), (again.ExitCode, again.Error));
        Assert.Equal(("ready", "deprecated"), (await _rows.StatusAsync(old), await _rows.StatusAsync(current)));
        Assert.Contains(
            $"cli:{Environment.UserName} | promote-model | model {old} | answers got worse", await _rows.AuditAsync());
    }

    [Fact]
    public async Task A_deprecated_model_is_out_of_use_and_cannot_be_deprecated_again()
    {
        var model = await _rows.AddReadyModelAsync(_project);

        var first = await RunAsync("deprecate", $"{model}", "--reason", "invents entities");
        var second = await RunAsync("deprecate", $"{model}", "--reason", "invents entities", "--json");

        Assert.Equal(
            (0, $"Model {model}, version 1 of {_project}, is deprecated.\n"
                + $"Bring it back: feedbackloop promote {model} --reason …\n"),
            (first.ExitCode, first.Output));
        Assert.Equal(3, second.ExitCode);
        Assert.Equal(
            $"model {model} is deprecated; only a ready one can be taken out of use",
            second.Json.GetProperty("problem").GetString());
        Assert.Equal("base", (await SelectAsync()).Tier);
        Assert.Contains(
            $"cli:{Environment.UserName} | deprecate-model | model {model} | invents entities", await _rows.AuditAsync());
    }

    [Fact]
    public async Task A_model_that_is_still_in_training_cannot_be_promoted()
    {
        var model = await _rows.AddModelAsync(_project);

        var result = await RunAsync("promote", $"{model}", "--reason", "soon");

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith($"error: model {model} is not done: its run {model} tunes or evaluates it", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n", 3, "ready")]
    [InlineData("y", 0, "deprecated")]
    public async Task On_a_terminal_a_person_is_asked_first(string answer, int exitCode, string status)
    {
        var model = await _rows.AddReadyModelAsync(_project);
        using var process = TerminalProcess.Start(
            _database.ConnectionString, "deprecate", $"{model}", "--reason", "invents entities");
        await process.TypeAsync(answer + "\n");

        var result = await process.WaitAsync();

        Assert.Contains($"Take version 1 of {_project} out of use?", result.Output, StringComparison.Ordinal);
        Assert.Equal((exitCode, status), (result.ExitCode, await _rows.StatusAsync(model)));
    }

    [Theory]
    [InlineData("there is no model", "promote", Nobody, "--reason", "r")]
    [InlineData("there is no model", "deprecate", Nobody, "--reason", "r")]
    [InlineData("there is no run", "cancel", Nobody, "--reason", "r")]
    [InlineData("there is no project", "select-model", "--project", Nobody)]
    [InlineData("there is no organization", "list-models", "--organization", Nobody)]
    public async Task What_does_not_exist_exits_with_3(string problem, params string[] args)
    {
        var result = await RunAsync([.. args, "--json"]);

        Assert.Equal(3, result.ExitCode);
        Assert.Equal($"{problem} {Nobody}", result.Json.GetProperty("problem").GetString());
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", args);

    private async Task<(string Tier, string? Model, string BaseModel)> SelectAsync()
    {
        var json = (await RunAsync("select-model", "--project", $"{_project.ProjectId}", "--json")).Json;
        return (
            json.GetProperty("tier").GetString()!, json.TryGetProperty("modelId", out var id) ? id.GetString() : null,
            json.GetProperty("baseModel").GetString()!);
    }

    private async Task<IEnumerable<RunId>> ListAsync(params string[] args) =>
        (await RunAsync(["list-models", .. args, "--json"])).Json.GetProperty("models").EnumerateArray()
            .Select(model => new RunId(model.GetProperty("id").GetGuid()));
}
