using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>Schedules by command: what they are set to, what is refused, and what they would have done.</summary>
public sealed class ScheduleTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Nobody = "01a21436-f239-7cf6-a9e7-a0252450fbb8";

    private TestDatabase _database = null!;  // xunit initializes it before each test
    private TrainingRows _rows = null!;
    private Scope _organization;
    private Scope _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string[] OfProject => ["--project", $"{_project.ProjectId}"];

    private string[] OfOrganization => ["--organization", $"{_organization.OrganizationId}"];

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Without_a_schedule_the_command_says_how_to_set_one()
    {
        var page = await RunAsync("show", OfProject);
        var json = await RunAsync("show", [.. OfProject, "--json"]);

        Assert.Equal(
            (0, $"{_project} has no schedule: its trainings are started by people alone.\n"
                + $"Set one: feedbackloop schedule set --project {_project.ProjectId} --enabled true "
                + "--threshold-enabled true --threshold-count 100\n"),
            (page.ExitCode, page.Output));
        Assert.False(json.Json.TryGetProperty("schedule", out _));
    }

    [Fact]
    public async Task A_time_that_has_come_and_waits_for_the_general_model_is_shown()
    {
        await RunAsync(
            "set", [.. OfProject, "--enabled", "true", "--cron-enabled", "true", "--cron-expression", "0 2 * * *",
                "--time-zone", "Europe/Berlin"]);
        await _database.ExecuteAsync(
            """
            update ml.training_schedules
            set    next_scheduled_at = '2026-06-15T00:00Z', last_decision = 'waiting', last_decision_at = '2026-06-15T00:30Z',
                   last_decision_reason = 'waits for the general model'
            """,
            Cancellation);

        var page = await RunAsync("show", OfProject);
        var json = await RunAsync("show", [.. OfProject, "--json"]);

        Assert.Contains(
            "\nWaiting            since 2026-06-15 02:00 Europe/Berlin for the general model\nNext ", page.Output,
            StringComparison.Ordinal);
        Assert.Equal(
            new DateTimeOffset(2026, 6, 15, 0, 0, 0, TimeSpan.Zero),
            json.Json.GetProperty("schedule").GetProperty("waitingSlot").GetDateTimeOffset());
    }

    [Fact]
    public async Task An_organizations_monthly_limit_is_set_and_taken_away()
    {
        var set = await RunAsync("set", [.. OfOrganization, "--monthly-limit-usd", "49.50"]);
        var gone = await RunAsync("set", [.. OfOrganization, "--monthly-limit-usd", "none"]);
        var usual = await RunAsync("set", [.. OfOrganization, "--monthly-limit-usd", "default"]);
        var ofProject = await RunAsync("set", [.. OfProject, "--monthly-limit-usd", "5"]);

        Assert.Contains("\nMonthly limit      49.50 USD, whoever starts a training\n", set.Output, StringComparison.Ordinal);
        Assert.Contains("\nMonthly limit      none\n", gone.Output, StringComparison.Ordinal);
        Assert.Contains("\nMonthly limit      the installation's default\n", usual.Output, StringComparison.Ordinal);
        Assert.Equal(
            (2, "error: --monthly-limit-usd must be null for a project, because it is an organization's, and is 5\n"
                + "See: feedbackloop schedule set --help\n"),
            (ofProject.ExitCode, ofProject.Error));
    }

    [Fact]
    public async Task An_organizations_floor_for_personal_data_is_set_and_taken_away()
    {
        var set = await RunAsync("set", [.. OfOrganization, "--pii-floor", "exclude"]);
        var kept = await RunAsync("set", [.. OfOrganization, "--threshold-count", "200"]);
        var gone = await RunAsync("set", [.. OfOrganization, "--pii-floor", "none"]);
        var ofProject = await RunAsync("set", [.. OfProject, "--pii-floor", "allow"]);

        const string bound = "\nPersonal data      at least exclude, whoever starts a run\n";
        Assert.Contains(bound, set.Output, StringComparison.Ordinal);
        Assert.Contains(bound, kept.Output, StringComparison.Ordinal);
        Assert.Contains(
            "\nPersonal data      at least redact, whoever starts a run; nobody has set a floor\n", gone.Output,
            StringComparison.Ordinal);
        Assert.Equal(
            (2, "error: --pii-floor must be null for a project, because it is an organization's, and is allow\n"
                + "See: feedbackloop schedule set --help\n"),
            (ofProject.ExitCode, ofProject.Error));
    }

    [Fact]
    public async Task What_is_set_is_shown_with_its_next_times_and_stands_in_the_audit_log()
    {
        var set = await RunAsync(
            "set", [.. OfProject, "--enabled", "true", "--cron-enabled", "true", "--cron-expression", "0 2 * * *",
                "--time-zone", "Europe/Berlin", "--epochs", "3"]);
        var show = await RunAsync("show", OfProject);

        Assert.Equal((0, "", set.Output), (show.ExitCode, show.Error, show.Output));
        Assert.Matches(
            """
            ^Scope              project .*
            Enabled            yes
            Threshold          off
            Cron               0 2 \* \* \* in Europe/Berlin
            New general model  off
            Parameters         confidence from 0\.85, epochs 3, learning rate multiplier auto
            Next               \d{4}-\d\d-\d\d 02:00 Europe/Berlin
            (                   \d{4}-\d\d-\d\d 02:00 Europe/Berlin
            ){4}Last decision      none yet; the next hourly tick makes one
            Last training      none that a tick has seen
            Version            1
            $
            """.TrimEnd(),
            show.Output);
        Assert.Contains(
            await _rows.AuditAsync(),
            entry => entry.StartsWith($"cli:{Environment.UserName} | change-schedule | schedule ", StringComparison.Ordinal)
                && entry.EndsWith(" | on, at '0 2 * * *' in Europe/Berlin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_not_given_stays_and_auto_leaves_the_choice_to_the_service()
    {
        await RunAsync(
            "set", [.. OfProject, "--enabled", "true", "--threshold-enabled", "true", "--threshold-count", "70", "--epochs", "3",
                "--learning-rate-multiplier", "0.5", "--min-confidence", "0.9"]);

        var changed = await RunAsync("set", [.. OfProject, "--threshold-count", "80", "--epochs", "auto", "--json"]);

        var schedule = changed.Json.GetProperty("schedule");
        Assert.Equal(2, schedule.GetProperty("version").GetInt32());
        Assert.Equal(
            """
            {"enabled":true,"thresholdEnabled":true,"thresholdCount":80,"cronEnabled":false,"retrainOnGeneralUpdate":false,
            "notifyProjectAdmins":false,"retrainProjects":false,"noMonthlyLimit":false,
            "parameters":{"minConfidence":0.9,"humanReviewedOnly":false,"learningRateMultiplier":0.5,"countOwnAcceptances":false}}
            """.ReplaceLineEndings(""),
            schedule.GetProperty("settings").GetRawText());
    }

    [Fact]
    public async Task The_last_decision_is_shown_with_its_reason()
    {
        await RunAsync("set", [.. OfOrganization, "--enabled", "true", "--threshold-enabled", "true"]);
        await _database.ExecuteAsync(
            """
            update ml.training_schedules
            set    last_decision = 'not_due', last_decision_reason = '7 of 100 new examples',
                   last_decision_at = '2026-06-15 12:00Z', last_training_at = '2026-06-01 10:00Z', last_example_count = 120
            """,
            Cancellation);

        var page = await RunAsync("show", OfOrganization);
        var json = await RunAsync("show", [.. OfOrganization, "--json"]);

        Assert.Contains(
            "Last decision      not_due at 2026-06-15 12:00:00Z: 7 of 100 new examples\n"
            + "Last training      2026-06-01 10:00:00Z, with 120 examples\n",
            page.Output, StringComparison.Ordinal);
        Assert.Equal(
            "7 of 100 new examples",
            json.Json.GetProperty("schedule").GetProperty("lastDecision").GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("--cron-expression must be given when --cron-enabled is true, and is missing", "--cron-enabled", "true", "--time-zone", "UTC")]
    [InlineData("--cron-expression must leave 6 hours between two trainings, and '0 * * * *' fires at", "--cron-expression", "0 * * * *")]
    [InlineData("--time-zone must be an IANA time zone such as Europe/Berlin, and is 'Berlin'", "--time-zone", "Berlin")]
    [InlineData("--min-confidence must have at most two decimals, and is 0.855", "--min-confidence", "0.855")]
    [InlineData("--notify-project-admins must be false for a project, because it is an organization's, and is true", "--notify-project-admins", "true")]
    [InlineData("--threshold-count must be a whole number from 1 to 1000000, not '0'", "--threshold-count", "0")]
    [InlineData("--epochs must be a whole number from 1 to 100, not 'many'", "--epochs", "many")]
    [InlineData("nothing is to be changed")]
    public async Task A_setting_that_is_wrong_is_named_by_its_option(string problem, params string[] settings)
    {
        var result = await RunAsync("set", [.. OfProject, .. settings]);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"error: {problem}", result.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from ml.training_schedules", Cancellation));
    }

    [Theory]
    [InlineData("show")]
    [InlineData("set")]
    [InlineData("simulate")]
    public async Task A_project_that_there_is_not_is_refused(string command)
    {
        var result = await RunAsync(command, ["--project", Nobody, .. command == "set" ? ["--enabled", "false"] : (string[])[]]);

        Assert.Equal(
            (3, $"error: there is no project {Nobody}\nCheck the id and --database.\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task A_version_that_is_not_there_any_more_is_refused()
    {
        await RunAsync("set", [.. OfProject, "--enabled", "true"]);
        await RunAsync("set", [.. OfProject, "--threshold-count", "70"]);

        var stale = await RunAsync("set", [.. OfProject, "--enabled", "false", "--if-version", "1"]);
        var none = await RunAsync("set", [.. OfProject, "--enabled", "false", "--if-version", "0"]);
        var absent = await RunAsync("set", [.. OfOrganization, "--enabled", "false", "--if-version", "4"]);
        var current = await RunAsync("set", [.. OfProject, "--enabled", "false", "--if-version", "2"]);

        Assert.Equal(
            (3, $"error: the schedule of {_project} has version 2, and version 1 was expected: somebody has changed it\n"
                + $"Look at it, and give the command again: feedbackloop schedule show --project {_project.ProjectId}\n"),
            (stale.ExitCode, stale.Error));
        Assert.Equal(
            (3, $"error: the schedule of {_project} has version 2, and none was expected: somebody has changed it"),
            (none.ExitCode, none.Error.Split('\n')[0]));
        Assert.Equal(
            (3, $"error: {_organization} has no schedule, and version 4 was expected"),
            (absent.ExitCode, absent.Error.Split('\n')[0]));
        Assert.Equal(0, current.ExitCode);
    }

    [Fact]
    public async Task A_change_at_the_same_moment_is_not_overwritten()
    {
        await RunAsync("set", [.. OfProject, "--enabled", "true"]);
        await using var other = await _database.Admin.OpenConnectionAsync(Cancellation);
        await using var tx = await other.BeginTransactionAsync(Cancellation);
        await using var change = other.CreateCommand();
        change.CommandText = "update ml.training_schedules set threshold_count = 5, row_version = row_version + 1";
        await change.ExecuteNonQueryAsync(Cancellation);

        var late = RunAsync("set", [.. OfProject, "--threshold-count", "70"]);
        await WaitForBlockedAsync();
        await tx.CommitAsync(Cancellation);

        Assert.Equal(
            (3, $"error: the schedule of {_project} has version 2, and version 1 was expected: somebody has changed it"),
            ((await late).ExitCode, (await late).Error.Split('\n')[0]));
        Assert.Equal(5, await _database.ScalarAsync<int>("select threshold_count from ml.training_schedules", Cancellation));
    }

    [Fact]
    public async Task A_replay_shows_what_another_rule_would_have_done()
    {
        await AddExamplesAsync(12, "30 days");
        await AddExamplesAsync(9, "20 days");
        await AddExamplesAsync(4, "3 days");

        var page = await RunAsync(
            "simulate", [.. OfProject, "--enabled", "true", "--threshold-enabled", "true", "--threshold-count", "10"]);
        var json = await RunAsync(
            "simulate", [.. OfOrganization, "--enabled", "true", "--threshold-enabled", "true", "--threshold-count", "10",
                "--days", "25", "--json"]);

        Assert.Matches(
            """
            ^AT \(UTC\)          OUTCOME  TRIGGER    NEW  EXAMPLES  WHY
            .{16}  trains   threshold  12   12        12 of 10 new examples
            .{16}  trains   threshold  13   25        13 of 10 new examples

            2 trainings, 0 slots skipped in 90 days; 25 examples now\.
            $
            """.TrimEnd(),
            page.Output);

        // Nothing has trained before the period: what was there is new at its beginning.
        Assert.Equal(
            [(12L, 12L), (13L, 25L)],
            json.Json.GetProperty("decisions").EnumerateArray().Select(decision =>
                (decision.GetProperty("newExamples").GetInt64(), decision.GetProperty("examples").GetInt64())));
        Assert.Equal(
            (false, 2, 25L),
            (json.Json.GetProperty("isSaved").GetBoolean(), json.Json.GetProperty("trainings").GetInt32(),
                json.Json.GetProperty("examplesNow").GetInt64()));
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from ml.training_schedules", Cancellation));
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    [Fact]
    public async Task A_replay_of_the_saved_schedule_needs_no_options()
    {
        await RunAsync(
            "set", [.. OfProject, "--enabled", "true", "--cron-enabled", "true", "--cron-expression", "0 3 * * *",
                "--time-zone", "Asia/Kathmandu"]);

        var result = await RunAsync("simulate", [.. OfProject, "--days", "4", "--training-hours", "30"]);

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("AT (Asia/Kathmandu)  OUTCOME  TRIGGER  NEW  EXAMPLES  WHY\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("  skipped  –        0    0         not now: the training of ", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("2 trainings, 2 slots skipped in 4 days; 0 examples now.\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_schedule_a_replay_asks_for_settings()
    {
        var result = await RunAsync("simulate", OfProject);

        Assert.Equal(
            (3, $"error: {_project} has no schedule to replay"), (result.ExitCode, result.Error.Split('\n')[0]));
    }

    private Task<CommandResult> RunAsync(string command, string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", ["schedule", command, .. args]);

    /// <summary>Examples that a fold has counted, as if they had been changed so long ago.</summary>
    private async Task AddExamplesAsync(int count, string age)
    {
        var project = _project.ProjectId!.Value;  // set at the beginning
        await new KnowledgeRows(_database.Admin).AddExamplesAsync(project, count);
        await new StatisticsFold(_database.Database, CountingRules.Default).FoldAllAsync(project, int.MaxValue, Cancellation);
        await _database.ExecuteAsync(
            $"""
            update ml.counted_extractions
            set    changed_at = now() - interval '{age}'
            where  changed_at > now() - interval '1 hour'
            """,
            Cancellation);
    }

    private async Task WaitForBlockedAsync()
    {
        const string sql =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

        await Patience.UntilAsync(
            async () => await _database.ScalarAsync<long>(sql, Cancellation) > 0, () => "nobody waits for a lock");
    }
}
