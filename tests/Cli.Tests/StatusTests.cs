using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary><c>training-status</c> on rows as the chain leaves them.</summary>
public sealed class StatusTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test
    private TrainingRows _rows = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Without_runs_there_is_a_hint_and_an_empty_list()
    {
        var forPeople = await RunAsync();
        var forMachines = await RunAsync("--json");

        Assert.Equal(
            (0, "No runs. Start one with train-general-model or train-project-model.\n"),
            (forPeople.ExitCode, forPeople.Output));
        Assert.Equal("""{"runs":[]}""", forMachines.Json.ToString());
    }

    [Fact]
    public async Task The_latest_runs_come_first_and_can_be_narrowed()
    {
        var (one, other) = (await _rows.AddOrganizationAsync(), await _rows.AddOrganizationAsync());
        var project = await _rows.AddProjectAsync(one);
        var failed = await _rows.AddRunAsync(one);
        await _rows.EndAsync(failed, "arranged");
        var (inProject, live) = (await _rows.AddRunAsync(project), await _rows.AddRunAsync(other));
        await _rows.AddRunAsync(other, RunPurpose.Export);

        Assert.Equal([live, inProject, failed], await ListAsync());
        Assert.Equal([inProject, failed], await ListAsync("--organization", $"{one.OrganizationId}"));
        Assert.Equal([inProject], await ListAsync("--project", $"{project.ProjectId}"));
        Assert.Equal([failed], await ListAsync("--state", "failed"));
        Assert.Equal([live], await ListAsync("--limit", "1"));
        var table = await RunAsync();
        Assert.Matches($"^RUN .*\n{live}  requested  organization .*\n{inProject}  requested  organization / project .*\n", table.Output);
    }

    [Fact]
    public async Task A_failed_run_shows_what_it_cost_and_why_it_failed()
    {
        var run = await _rows.AddModelAsync(await _rows.AddOrganizationAsync());

        var forPeople = await RunAsync($"{run}");
        var forMachines = await RunAsync($"{run}", "--json");
        var watched = await RunAsync($"{run}", "--watch");

        Assert.Equal((0, 0, 4), (forPeople.ExitCode, forMachines.ExitCode, watched.ExitCode));
        Assert.Matches(@"Reason +arranged by a test\n", forPeople.Output);
        Assert.Matches(@"Export +4 extractions read, 3 examples, 0\.0 MB\n", forPeople.Output);
        Assert.Matches(@"Cost +1\.25 USD estimated\n", forPeople.Output);
        var json = forMachines.Json;
        Assert.Equal(1.25m, json.GetProperty("estimatedCostUsd").GetDecimal());
        Assert.Equal(3, json.GetProperty("progress").GetProperty("examples").GetInt64());
        Assert.Equal("Exclude", json.GetProperty("parameters").GetProperty("export").GetProperty("pii").GetString());
        Assert.Equal(
            ["requested", "exporting", "exported", "failed"],
            json.GetProperty("timeline").EnumerateArray().Select(step => step.GetProperty("state").GetString()));
        Assert.False(json.TryGetProperty("actualCostUsd", out _));
    }

    [Fact]
    public async Task An_export_at_work_shows_how_far_it_is()
    {
        var organization = await _rows.AddOrganizationAsync();
        var project = await _rows.AddProjectAsync(organization);
        await _database.ExecuteAsync(
            $"""
            insert into kb.object_extraction_jobs (id, project_id, status)
            select gen_random_uuid(), '{project.ProjectId}', 'completed' from generate_series(1, 40)
            """,
            Cancellation);
        var run = await _rows.AddRunAsync(project);
        await using (var db = await _database.Database.OpenConnectionAsync(Cancellation))
        {
            var claim = await db.ClaimRunAsync(
                run, [RunState.Requested], RunState.Exporting, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Cancellation);
            Assert.True(await db.ExtendLeaseAsync(
                claim!, TimeSpan.FromMinutes(2), """{"candidates":10,"examples":8,"bytes":2500000}""", Cancellation));
        }

        var shown = await RunAsync($"{run}");

        Assert.Matches(@"Export +━{7}─{23} 25 %  10 extractions read, 8 examples, 2\.5 MB\n", shown.Output);
    }

    [Fact]
    public async Task A_run_whose_model_is_kept_back_has_succeeded_and_ends_the_watch_with_3()
    {
        var scope = await _rows.AddOrganizationAsync();
        var live = await _rows.AddReadyModelAsync(scope);
        var run = await _rows.AddModelAsync(scope);
        await _rows.KeepBackAsync(run, live);

        var shown = await RunAsync($"{run}");
        var watched = await RunAsync($"{run}", "--watch", "--json");

        Assert.Equal((0, 3), (shown.ExitCode, watched.ExitCode));
        Assert.Matches(@"Reason +not in use, worse: entity F1 −0\.250\n", shown.Output);
        Assert.Matches(@"Verdict +worse: entity F1 −0\.250\n", shown.Output);
        Assert.Matches(
            @"in use, version 1 +30 +0\.500 +0\.400 +0\.444 +– +1\.000 +0\.900 +−0\.250 \(−0\.300 to −0\.200\)", shown.Output);
        Assert.Equal("worse", watched.JsonLines[^1].GetProperty("model").GetProperty("verdict").GetString());
    }

    [Theory]
    [InlineData(9, 5, "in use, version 1: 5 entities invented in 9 texts with nothing to find.")]
    [InlineData(1, 1, "in use, version 1: 1 entity invented in 1 text with nothing to find.")]
    public async Task What_a_model_invents_stands_below_the_table_in_eighty_columns(int texts, int invented, string line)
    {
        var scope = await _rows.AddOrganizationAsync();
        var live = await _rows.AddReadyModelAsync(scope);
        var run = await _rows.AddModelAsync(scope);
        await _rows.KeepBackAsync(run, live);
        Assert.DoesNotContain("nothing to find", (await RunAsync($"{run}")).Output, StringComparison.Ordinal);
        await _database.ExecuteAsync(
            $$"""
            update ml.model_evaluations
            set    scores = scores || '{"emptyTexts": {"texts": {{texts}}, "withInventions": 1, "inventedEntities": {{invented}}, "inventedPerText": 0.5 } }'
            """,
            Cancellation);

        var shown = await RunAsync($"{run}");
        var json = (await RunAsync($"{run}", "--json")).Json;

        Assert.Contains(line, shown.Output.Split('\n'));
        Assert.InRange(line.Length, 1, 80);
        Assert.Equal(
            invented,
            json.GetProperty("evaluation")[0].GetProperty("scores").GetProperty("emptyTexts").GetProperty("inventedEntities").GetInt32());
    }

    [Fact]
    public async Task A_run_that_rests_with_an_operator_ends_the_watch_with_3()
    {
        var run = await _rows.AddModelAsync(await _rows.AddOrganizationAsync());
        await _database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs set state = 'needs_operator', reason = 'is there a job?', ended_at = null where id = '{run}';
            reset session_replication_role;
            """,
            Cancellation);

        var result = await RunAsync($"{run}", "--watch", "--json");

        Assert.Equal((3, "needs_operator"), (result.ExitCode, result.Json.GetProperty("state").GetString()));
        Assert.False(result.Json.GetProperty("isOver").GetBoolean());
    }

    [Fact]
    public async Task On_a_terminal_the_watch_redraws_the_page_until_the_end()
    {
        var run = await _rows.AddRunAsync(await _rows.AddOrganizationAsync());
        using var watch = TerminalProcess.Start(_database.ConnectionString, "training-status", $"{run}", "--watch");
        await watch.WaitForOutputAsync("requested");
        await _rows.EndAsync(run, "arranged");

        var result = await watch.WaitAsync();

        Assert.Equal(4, result.ExitCode);
        Assert.Contains("\u001b[", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"State[^\n]*requested", result.Output);
        Assert.Matches(@"State[^\n]*failed", result.Output);
    }

    [Theory]
    [InlineData("delete from kb.projects")]
    [InlineData("delete from kb.orgs")]
    public async Task Runs_of_what_the_product_has_deleted_are_shown_with_its_id(string deletion)
    {
        var scope = await _rows.AddProjectAsync(await _rows.AddOrganizationAsync());
        var run = await _rows.AddRunAsync(scope);
        await _database.ExecuteAsync(deletion, Cancellation);

        Assert.Equal([run], await ListAsync());
        Assert.Equal([run], await ListAsync("--organization", $"{scope.OrganizationId}"));
        Assert.Equal([run], await ListAsync("--project", $"{scope.ProjectId}"));
        var page = await RunAsync($"{run}");
        Assert.Equal(0, page.ExitCode);
        Assert.Matches($@"Scope +{scope.ProjectId}\n", page.Output);
    }

    [Theory]
    [InlineData("there is no run 01a21436-f239-7cf6-a9e7-a0252450fbb8", "01a21436-f239-7cf6-a9e7-a0252450fbb8")]
    [InlineData("there is no run 01a21436-f239-7cf6-a9e7-a0252450fbb8", "01a21436-f239-7cf6-a9e7-a0252450fbb8", "--watch")]
    [InlineData("there is no project 01a21436-f239-7cf6-a9e7-a0252450fbb8", "--project", "01a21436-f239-7cf6-a9e7-a0252450fbb8")]
    public async Task What_does_not_exist_exits_with_3(string problem, params string[] args)
    {
        var result = await RunAsync(args);

        Assert.Equal(
            (3, "", $"error: {problem}\nCheck the id and --database.\n"), (result.ExitCode, result.Output, result.Error));
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", ["training-status", .. args]);

    private async Task<IEnumerable<RunId>> ListAsync(params string[] args) =>
        (await RunAsync([.. args, "--json"])).Json.GetProperty("runs").EnumerateArray()
            .Select(run => new RunId(run.GetProperty("runId").GetGuid()));
}
