using System.Text.Json;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary><c>--dry-run</c> of the three commands, and the check before a start.</summary>
public sealed class DryRunTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test
    private TrainingRows _rows = null!;
    private KnowledgeRows _knowledge = null!;
    private Scope _organization;
    private Scope _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
        _knowledge = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Fifty_two_texts_of_which_four_hold_personal_data_are_not_enough_for_fifty()
    {
        await AddTextsAsync(48, withPii: 4);

        var dry = await TrainProjectAsync("--dry-run", "--json");
        var start = await TrainProjectAsync();

        Assert.Equal((3, ""), (dry.ExitCode, dry.Error));
        Assert.False(dry.Json.GetProperty("wouldStart").GetBoolean());
        Assert.Equal((48, 50), (
            dry.Json.GetProperty("counts").GetProperty("examples").GetInt32(), dry.Json.GetProperty("minimum").GetInt32()));
        Assert.Equal(4, dry.Json.GetProperty("excluded").GetProperty("pii").GetInt32());
        Assert.Equal("too_little_data", Kinds(dry).Single());
        Assert.Equal((3, ""), (start.ExitCode, start.Output));
        Assert.StartsWith(
            "error: 48 usable examples of 52 extractions, 50 needed. Left out: 4 pii.\n", start.Error, StringComparison.Ordinal);
        Assert.Equal("1 0 0 0 0", await TracesAsync());
    }

    [Fact]
    public async Task What_would_start_is_shown_with_its_request_and_leaves_nothing_behind()
    {
        await AddTextsAsync(100, withPii: 2);

        var project = await TrainProjectAsync("--dry-run", "--epochs", "3", "--json");
        var general = await RunAsync(
            "train-general-model", "--organization", $"{_organization.OrganizationId}", "--dry-run", "--json");

        Assert.Equal((0, 0), (project.ExitCode, general.ExitCode));
        var tuning = project.Json.GetProperty("tuning");
        Assert.Equal((3, false), (tuning.GetProperty("epochs").GetInt32(), tuning.GetProperty("areEpochsAssumed").GetBoolean()));
        var request = tuning.GetProperty("request");
        Assert.Equal("projects/PROJECT/locations/us-central1", request.GetProperty("parent").GetString());
        var job = request.GetProperty("tuningJob");
        Assert.Equal("{run}", job.GetProperty("labels").GetProperty("run").GetString());
        Assert.Equal(
            $"gs://BUCKET/orgs/{_organization.OrganizationId}/projects/{_project.ProjectId}/v{{time}}/e{{claim}}/attempts/1/train.jsonl",
            job.GetProperty("supervisedTuningSpec").GetProperty("trainingDatasetUri").GetString());
        Assert.DoesNotContain("00000000-0000", project.Output, StringComparison.Ordinal);
        Assert.All(project.Json.GetProperty("limits").EnumerateArray(), limit =>
            Assert.True(limit.GetProperty("value").GetInt64() <= limit.GetProperty("limit").GetInt64(), limit.ToString()));
        Assert.Equal("2 0 0 0 0", await TracesAsync());
    }

    [Fact]
    public async Task A_general_model_that_is_being_trained_is_named_and_refuses_nothing()
    {
        await AddTextsAsync(60, withPii: 0);
        var general = await _rows.AddRunInStateAsync(_organization, RunState.Exporting, Cancellation);

        var json = await TrainProjectAsync("--dry-run", "--json");
        var page = await TrainProjectAsync("--dry-run");

        Assert.Equal((0, 0), (json.ExitCode, page.ExitCode));
        Assert.Empty(Kinds(json));
        var told = json.Json.GetProperty("generalTraining");
        Assert.Equal(
            ($"{general}", RunState.Exporting, "gemini-3.1-flash-lite"),
            (told.GetProperty("runId").GetString(), told.GetProperty("state").GetString(),
                told.GetProperty("baseModel").GetString()));
        Assert.Contains(
            $"The general model is being trained: run {general} is exporting. ", page.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_base_model_a_limit_and_a_live_run_are_all_named_at_once()
    {
        await AddTextsAsync(60, withPii: 0);
        var live = await _rows.AddRunAsync(_project);
        await _database.ExecuteAsync(
            "insert into ml.spending_stops (stopped_at, stopped_by, reason) values (now(), 'test', 'the card is lost')", Cancellation);

        var result = await TrainProjectAsync("--dry-run", "--base-model", "gemini-1.0-pro", "--json");

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(["live_run", "base_model", "spending"], Kinds(result));
        Assert.Equal($"{live}", result.Json.GetProperty("liveRun").GetProperty("id").GetString());
        Assert.False(result.Json.TryGetProperty("tuning", out _));
    }

    [Fact]
    public async Task An_export_finds_what_its_dry_run_said()
    {
        await AddTextsAsync(90, withPii: 3);
        var folder = Directory.CreateTempSubdirectory("dry-run-");

        var dry = await ExportAsync("--dry-run", "--json");
        Assert.Equal("0 0 0 0 0", await TracesAsync());
        var real = await ExportAsync("--output", folder.FullName, "--json");

        Assert.Equal((0, 0), (dry.ExitCode, real.ExitCode));
        using var metadata = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(folder.FullName, "metadata.json"), Cancellation));
        foreach (var part in (string[])["counts", "excluded", "leftOut", "files"])
        {
            Assert.True(
                JsonElement.DeepEquals(metadata.RootElement.GetProperty(part), dry.Json.GetProperty(part)), $"{part} differs");
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Too_little_for_an_export_is_refused_dry_as_it_is_wet_and_an_output_is_needed_only_for_files()
    {
        await AddTextsAsync(9, withPii: 1);

        var dry = await ExportAsync("--dry-run");
        var neither = await ExportAsync();

        Assert.Equal(3, dry.ExitCode);
        Assert.Contains("9 usable examples of 10 extractions, 50 needed. Left out: 1 pii.", dry.Output, StringComparison.Ordinal);
        Assert.Equal(2, neither.ExitCode);
        Assert.Contains("Give --output, or --dry-run.", neither.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_of_80_columns_no_line_is_longer()
    {
        await AddTextsAsync(60, withPii: 2);
        var settings = Path.GetTempFileName();
        await File.WriteAllTextAsync(settings, """{"GoogleCloud":{"Location":"us-central1"}}""", Cancellation);
        using var terminal = TerminalProcess.Start(
            _database.ConnectionString, columns: 80, "train-project-model", "--project", $"{_project.ProjectId}", "--dry-run",
            "--settings", settings);

        var result = await terminal.WaitAsync();

        var lines = TerminalProcess.Lines(result.Output);
        Assert.Contains(lines, line => line.Contains("would start", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("2 pii", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        File.Delete(settings);
    }

    [Theory]
    [InlineData("train-project-model")]
    [InlineData("train-project-model", "--dry-run")]
    [InlineData("export-training-data", "--dry-run")]
    [InlineData("export-training-data", "--output", "OUTPUT")]
    public async Task Less_than_the_organization_has_done_about_personal_data_is_refused(params string[] command)
    {
        await AddTextsAsync(60, withPii: 1);
        var output = Directory.CreateTempSubdirectory("floor-");
        try
        {
            var result = await RunAsync(
                [.. command.Select(word => word == "OUTPUT" ? output.FullName : word), "--project", $"{_project.ProjectId}", "--pii", "allow"]);

            Assert.Equal(
                (3, "error: --pii must be exclude or redact, because the organization's floor for personal data is redact, and is allow\n"
                    + $"An admin of the organization sets the floor: feedbackloop schedule set --organization "
                    + $"{_project.OrganizationId} --pii-floor …\n"),
                (result.ExitCode, result.Error));
            Assert.Empty(output.EnumerateFileSystemInfos());
            Assert.Equal("0 0 0 0 0", await TracesAsync());
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task An_export_that_an_operator_takes_is_audited_with_what_was_asked_and_what_was_written()
    {
        await AddTextsAsync(60, withPii: 1);
        var output = Directory.CreateTempSubdirectory("audit-");
        try
        {
            var taken = await ExportAsync("--output", output.FullName, "--pii", "redact", "--seed", "7");
            var refused = await ExportAsync("--output", output.FullName, "--min-examples", "1000");

            Assert.Equal((0, 3), (taken.ExitCode, refused.ExitCode));
            var bytes = output.EnumerateFiles().Sum(file => file.Length);
            Assert.Equal(
                [
                    $"cli:{Environment.UserName} export-training-data files {output.FullName} Redact 7",
                    $"cli:{Environment.UserName} end-export files {output.FullName} {bytes}",
                    $"cli:{Environment.UserName} export-training-data files {output.FullName} Exclude 20260101",
                    $"cli:{Environment.UserName} end-export files {output.FullName} 0",
                ],
                await _database.ScalarAsync<string[]>(
                    """
                    select array_agg(concat_ws(' ', actor, action, subject, parameters->'export'->>'pii',
                               parameters->'export'->>'seed',
                               (select coalesce(sum((f->>'bytes')::bigint), 0)
                                from   jsonb_array_elements(parameters->'files') f
                                having parameters ? 'files')) order by id)
                    from   ml.audit_log
                    """,
                    Cancellation));
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }

    private async Task AddTextsAsync(int count, int withPii)
    {
        var project = _project.ProjectId!.Value; // of a project
        await _knowledge.AddTrainingTextsAsync(
            project, Enumerable.Range(0, count).Select(i => $"The Ledger {i} books payments."));
        await _knowledge.AddTrainingTextsAsync(
            project, Enumerable.Range(0, withPii).Select(i => $"Ledger {i}: write to jo.miller{i}@example.com."));
    }

    private static IEnumerable<string?> Kinds(CommandResult result) =>
        result.Json.GetProperty("refusals").EnumerateArray().Select(each => each.GetProperty("kind").GetString());

    // Preflights kept; runs, datasets, messages and audit entries left behind.
    private Task<string> TracesAsync() => _database.ScalarAsync<string>(
        """
        select concat_ws(' ',
            (select count(*) from ml.preflights), (select count(*) from ml.training_runs), (select count(*) from ml.datasets),
            (select count(*) from ml.outbox), (select count(*) from ml.audit_log))
        """,
        Cancellation);

    private Task<CommandResult> TrainProjectAsync(params string[] args) =>
        RunAsync(["train-project-model", "--project", $"{_project.ProjectId}", .. args]);

    private Task<CommandResult> ExportAsync(params string[] args) =>
        RunAsync(["export-training-data", "--project", $"{_project.ProjectId}", .. args]);

    private Task<CommandResult> RunAsync(params string[] args) => FeedbackloopProcess.RunAsync(
        new Dictionary<string, string?>
        {
            ["Database__ConnectionString"] = _database.ConnectionString,
            ["GoogleCloud__Location"] = "us-central1",
        },
        "", args);
}
