using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>Starting and cancelling runs where no chain runs, so that they stay as they were started.</summary>
public sealed class TrainTests(PostgresFixture postgres) : IAsyncLifetime
{
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

        // As many as the general model needs; a start looks whether they are there.
        await new KnowledgeRows(_database.Database).AddTrainingTextsAsync(
            _project.ProjectId!.Value, Enumerable.Range(0, 100).Select(i => $"The Ledger {i} books payments."), // of a project
            seeds: -7);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_run_is_started_with_its_parameters_in_the_operators_name()
    {
        var result = await RunAsync(
            "train-project-model", "--project", $"{_project.ProjectId}", "--base-model", "gemini-3.5-flash", "--epochs", "3",
            "--learning-rate-multiplier", "0.5", "--adapter-size", "8", "--min-confidence", "0.9", "--human-reviewed-only",
            "--pii", "redact", "--validation-share", "0.1", "--seed", "-7", "--min-examples", "10", "--json");

        Assert.Equal(0, result.ExitCode);
        var run = Assert.IsType<Run>(await FindRunAsync(result));
        Assert.Equal(
            (RunState.Requested, $"cli:{Environment.UserName}", RunPurpose.Training, _project.ProjectId),
            (run.State, run.RequestedBy, run.Purpose, run.ProjectId));
        Assert.Equal(
            new RunParameters(
                new ExportCriteria
                {
                    MinConfidence = 0.9,
                    HumanReviewedOnly = true,
                    Pii = PiiPolicy.Redact,
                    ValidationShare = 0.1,
                    Seed = -7,
                    MinExamples = 10,
                },
                new TuningParameters
                {
                    BaseModel = "gemini-3.5-flash",
                    Epochs = 3,
                    LearningRateMultiplier = 0.5,
                    AdapterSize = 8,
                }),
            run.Parameters);
        Assert.Equal([$"cli:{Environment.UserName} | start-training | run {run.Id}"], await _rows.AuditAsync());
        Assert.Equal("requested", result.Json.GetProperty("state").GetString());
        Assert.Equal("gemini-3.5-flash", result.Json.GetProperty("baseModel").GetString());
    }

    [Fact]
    public async Task Without_Pub_Sub_the_sweep_is_named_and_the_message_waits()
    {
        var result = await TrainAsync();

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Matches(
            """
            ^Run [0-9a-f-]{36} is requested\.
            It tunes gemini-3\.1-flash-lite\.
            GoogleCloud:ProjectId is not set\. The sweep sends the message within five minutes\.
            Follow it: feedbackloop training-status [0-9a-f-]{36} --watch
            $
            """.Trim(),
            result.Output);
        Assert.Equal("pending", await MessageStatusAsync());
    }

    [Fact]
    public async Task While_the_general_model_is_trained_a_start_by_hand_says_what_it_goes_on_from_and_goes_on()
    {
        await _rows.AddReadyModelAsync(_organization);
        var general = await _rows.AddRunInStateAsync(_organization, RunState.Exporting, Cancellation);

        var first = await RunAsync("train-project-model", "--project", $"{_project.ProjectId}", "--idempotency-key", "once");
        var again = await RunAsync(
            "train-project-model", "--project", $"{_project.ProjectId}", "--idempotency-key", "once", "--json");

        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        Assert.Contains(
            $"The general model is being trained: run {general} is exporting. A training by hand does not wait for it and goes "
            + "on from version 1, unless the new one is in use first.\n", first.Output, StringComparison.Ordinal);
        var told = again.Json.GetProperty("generalTraining");
        Assert.Equal(
            ($"{general}", RunState.Exporting, 1),
            (told.GetProperty("runId").GetString(), told.GetProperty("state").GetString(),
                told.GetProperty("parentModelVersion").GetInt32()));
        Assert.Equal(RunState.Requested, (await FindRunAsync(again))?.State);
    }

    [Fact]
    public async Task On_a_terminal_of_80_columns_a_start_breaks_no_word()
    {
        await _rows.AddRunInStateAsync(_organization, RunState.Exporting, Cancellation);
        var settings = Path.GetTempFileName();
        await File.WriteAllTextAsync(settings, """{"GoogleCloud":{"Location":"us-central1"}}""", Cancellation);
        using var terminal = TerminalProcess.Start(
            _database.ConnectionString, columns: 80, "train-project-model", "--project", $"{_project.ProjectId}",
            "--settings", settings);

        var result = await terminal.WaitAsync();

        var lines = TerminalProcess.Lines(result.Output);
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Contains(
            "A training by hand does not wait for it and tunes gemini-3.1-flash-lite, unless the new one is in use first.",
            string.Join(' ', lines), StringComparison.Ordinal);
        File.Delete(settings);
    }

    [Fact]
    public async Task Of_a_general_model_that_waits_for_its_turn_a_start_says_nothing()
    {
        await _rows.AddRunAsync(_organization);

        var result = await RunAsync("train-project-model", "--project", $"{_project.ProjectId}", "--json");

        Assert.Equal(0, result.ExitCode);
        Assert.False(result.Json.TryGetProperty("generalTraining", out _));
    }

    [Fact]
    public async Task A_Pub_Sub_that_is_away_does_not_undo_the_run()
    {
        var environment = Settings();
        environment["GoogleCloud__ProjectId"] = "demo";
        environment["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:1";

        var result = await FeedbackloopProcess.RunAsync(
            environment, "", "train-general-model", "--organization", $"{_organization.OrganizationId}", "--json");

        Assert.Equal(0, result.ExitCode);
        Assert.False(result.Json.GetProperty("isMessageSent").GetBoolean());
        Assert.StartsWith(
            "Pub/Sub did not take the message: ", result.Json.GetProperty("whyNotSent").GetString(),
            StringComparison.Ordinal);
        Assert.Equal("pending", await MessageStatusAsync());
    }

    [Fact]
    public async Task A_second_run_of_the_scope_is_refused_with_the_first_ones_id_and_state()
    {
        var first = await _rows.AddRunAsync(_organization);

        var forPeople = await TrainAsync();
        var forMachines = await TrainAsync("--json");

        Assert.Equal(
            (3, "", $"error: {_organization} has a run that is not over: {first} is requested\n"
                + $"Wait for it: feedbackloop training-status {first} --watch\n"),
            (forPeople.ExitCode, forPeople.Output, forPeople.Error));
        Assert.Equal(3, forMachines.ExitCode);
        Assert.Equal($"{first}", forMachines.Json.GetProperty("runId").GetString());
        Assert.Equal("requested", forMachines.Json.GetProperty("runState").GetString());
    }

    [Fact]
    public async Task The_same_command_under_a_key_starts_one_run_and_another_one_under_it_is_refused()
    {
        var first = await TrainAsync("--idempotency-key", "october", "--json");
        var second = await TrainAsync("--idempotency-key", "october", "--json");
        var other = await TrainAsync("--idempotency-key", "october", "--epochs", "2");

        Assert.Equal((0, 0, 3), (first.ExitCode, second.ExitCode, other.ExitCode));
        Assert.False(first.Json.GetProperty("isRepeat").GetBoolean());
        Assert.True(second.Json.GetProperty("isRepeat").GetBoolean());
        Assert.Equal(
            first.Json.GetProperty("runId").GetString(), second.Json.GetProperty("runId").GetString());
        Assert.Contains("which was asked for with other options", other.Error, StringComparison.Ordinal);
        Assert.Equal(1, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    [Theory]
    [InlineData("gemini-1.0-pro", "gemini-1.0-pro is not in the catalogue of base models, which has ")]
    [InlineData("retired", "retired was retired on 2020-01-01; use gemini-3.1-flash-lite")]
    public async Task A_base_model_that_cannot_be_tuned_is_refused_before_there_is_a_run(string model, string reason)
    {
        var environment = Settings();
        environment["BaseModels__Models__7__Id"] = "retired";
        environment["BaseModels__Models__7__Tunable"] = "true";
        environment["BaseModels__Models__7__ServingLocations__us-central1"] = "us";
        environment["BaseModels__Models__7__RetiresOn"] = "2020-01-01";
        environment["BaseModels__Models__7__Successor"] = "gemini-3.1-flash-lite";

        var result = await FeedbackloopProcess.RunAsync(
            environment, "", "train-general-model", "--organization", $"{_organization.OrganizationId}", "--base-model", model);

        Assert.Equal((3, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"error: {reason}", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    [Fact]
    public async Task A_project_goes_on_from_the_general_model_and_one_that_cannot_be_tuned_further_is_refused()
    {
        var general = await _rows.AddReadyModelAsync(_organization);
        var accepted = await RunAsync("train-project-model", "--project", $"{_project.ProjectId}", "--json");
        await _rows.AddReadyModelAsync(_organization, baseModel: "gemini-1.5-pro");
        var other = await _rows.AddProjectAsync(_organization);
        var refused = await RunAsync("train-project-model", "--project", $"{other.ProjectId}");

        Assert.Equal($"{general}", accepted.Json.GetProperty("parentModelId").GetString());
        Assert.Equal(3, refused.ExitCode);
        Assert.StartsWith(
            "error: the general model cannot be tuned further, train it again first: gemini-1.5-pro is not in",
            refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_the_watch_at_once_and_not_the_run()
    {
        var run = await _rows.AddRunAsync(_organization);
        using var watch = FeedbackloopProcess.Start(
            Settings(),
            ["env", "--default-signal=INT", .. FeedbackloopProcess.Program, "training-status", $"{run}", "--watch"]);
        await watch.WaitForOutputAsync("requested");

        watch.Interrupt();
        var result = await watch.WaitAsync().WithPatience();

        Assert.Equal(4, result.ExitCode);
        Assert.Matches(@"^\S+ \S+Z  requested\n$", result.Output);
        Assert.Equal(
            "error: the watch was interrupted\n"
            + $"The run goes on. Watch it again: feedbackloop training-status {run} --watch\n",
            result.Error);
        Assert.Equal(RunState.Requested, await _rows.StateAsync(run));
    }

    [Fact]
    public async Task A_run_is_cancelled_once_and_says_why()
    {
        var run = await _rows.AddRunAsync(_organization);

        var first = await RunAsync("cancel", $"{run}", "--reason", " wrong month ", "--json");
        var second = await RunAsync("cancel", $"{run}", "--reason", "again");

        Assert.Equal((0, "cancelling"), (first.ExitCode, first.Json.GetProperty("state").GetString()));
        Assert.Equal(3, second.ExitCode);
        Assert.Equal($"error: run {run} is cancelling and cannot be cancelled\n", second.Error);
        Assert.Contains(
            $"cli:{Environment.UserName} | cancel-training | run {run} | wrong month", await _rows.AuditAsync());
    }

    private static Dictionary<string, string?> SettingsOf(TestDatabase database) => new()
    {
        ["Database__ConnectionString"] = database.ConnectionString,
        ["GoogleCloud__Location"] = "us-central1",
    };

    private Dictionary<string, string?> Settings() => SettingsOf(_database);

    private Task<CommandResult> RunAsync(params string[] args) => FeedbackloopProcess.RunAsync(Settings(), "", args);

    private Task<CommandResult> TrainAsync(params string[] args) =>
        RunAsync(["train-general-model", "--organization", $"{_organization.OrganizationId}", .. args]);

    private async Task<Run?> FindRunAsync(CommandResult result)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        return await db.FindRunAsync(new RunId(result.Json.GetProperty("runId").GetGuid()), Cancellation);
    }

    private Task<string> MessageStatusAsync() =>
        _database.ScalarAsync<string>("select status from ml.outbox", Cancellation);
}
