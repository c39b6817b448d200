using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary><c>lineage</c> and <c>forget-document</c>, where no chain runs. What they do to files stands in <c>docs/cli.md</c>.</summary>
public sealed class LineageTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Nobody = "01a21436-f239-7cf6-a9e7-a0252450fbb8";

    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("cli-lineage-");
    private TestDatabase _database = null!;  // xunit initializes these before each test
    private TrainingRows _rows = null!;
    private Scope _organization;
    private Scope _project;
    private Guid _document;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        _document = await new KnowledgeRows(_database.Database).AddDocumentAsync(_project.ProjectId!.Value);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _files.Delete(recursive: true);
    }

    [Fact]
    public async Task Where_a_document_went_fits_a_terminal_and_names_what_it_would_cost_to_be_rid_of_it()
    {
        var model = await AddModelAsync();
        await TaintAsync();

        var result = await RunAsync("lineage", "--document", $"{_document}");

        var lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.All(lines.Where(line => !line.Contains("gs://", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
        Assert.Equal(
            [$"Document {_document}", $"  of {_project}", "Datasets with examples of it: 1"], lines[..3]);
        Assert.Contains($"  {model}  version 1, in use", lines);
        Assert.Contains("    it has learnt from a document that was forgotten", lines);
        Assert.Matches($"^  {_project}: about 0\\.\\d\\d USD$", lines[^1]);
    }

    [Fact]
    public async Task A_machine_gets_all_of_it()
    {
        var model = await AddModelAsync();
        await TaintAsync();

        var json = (await RunAsync("lineage", "--document", $"{_document}", "--json")).Json;

        Assert.Equal(
            (1, 1, $"{model}", true),
            (json.GetProperty("datasetCount").GetInt32(), json.GetProperty("modelCount").GetInt32(),
                json.GetProperty("models")[0].GetProperty("id").GetString(),
                json.GetProperty("models")[0].GetProperty("isInUse").GetBoolean()));
    }

    [Fact]
    public async Task A_tainted_model_is_listed_as_such()
    {
        await AddModelAsync();
        var before = await RunAsync("list-models");
        await TaintAsync();
        var after = await RunAsync("list-models");
        var json = (await RunAsync("list-models", "--json")).Json;

        Assert.DoesNotContain("TAINTED", before.Output, StringComparison.Ordinal);
        Assert.Matches(@"^MODEL .* TAINTED SINCE\n.*\d\d:\d\dZ  \d{4}-\d\d-\d\d \d\d:\d\dZ\n$", after.Output);
        Assert.Equal(
            "it has learnt from a document that was forgotten",
            json.GetProperty("models")[0].GetProperty("taintReason").GetString());
    }

    [Fact]
    public async Task A_dry_run_changes_nothing()
    {
        await AddModelAsync();

        var result = await RunAsync("forget-document", $"{_document}", "--dry-run");

        Assert.Equal(0, result.ExitCode);
        Assert.EndsWith(
            "Would be rewritten: 1 datasets. Would be tainted: 1 models.\nNothing was changed.\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, await _database.ScalarAsync<long>(
            "select (select count(*) from ml.forgotten_documents) + (select count(*) from ml.model_taints)", Cancellation));
    }

    [Fact]
    public async Task What_waits_exits_with_3_and_a_repeat_completes_it()
    {
        var run = await _rows.AddRunAsync(_project);

        var first = await ForgetAsync();
        await _rows.EndAsync(run, "arranged by a test");
        var second = await ForgetAsync("--json");

        Assert.Equal(3, first.ExitCode);
        Assert.Contains(
            $"Waits: run {run} is requested, and began before the document was forgotten.\n", first.Output, StringComparison.Ordinal);
        Assert.Equal((0, true), (second.ExitCode, second.Json.GetProperty("isComplete").GetBoolean()));
        Assert.Equal(
            $"cli:{Environment.UserName} request 4711",
            await _database.ScalarAsync<string>(
                "select actor || ' ' || reason from ml.audit_log where action = 'forget-document'", Cancellation));
    }

    [Fact]
    public async Task Files_of_another_place_are_refused_by_name()
    {
        await AddModelAsync();

        var result = await ForgetAsync();

        Assert.Equal(4, result.ExitCode);
        Assert.Contains($"does not lie in {_files.FullName}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n", 3, 0)]
    [InlineData("y", 0, 1)]
    public async Task On_a_terminal_a_person_is_asked_first(string answer, int exitCode, long forgotten)
    {
        using var process = TerminalProcess.Start(
            _database.ConnectionString, "forget-document", $"{_document}", "--files", _files.FullName);
        await process.TypeAsync(answer + "\n");

        var result = await process.WaitAsync();

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal(forgotten, await _database.ScalarAsync<long>("select count(*) from ml.forgotten_documents", Cancellation));
    }

    [Theory]
    [InlineData("document", "lineage", "--document", Nobody)]
    [InlineData("chunk", "lineage", "--chunk", Nobody)]
    [InlineData("object", "lineage", "--object", Nobody)]
    [InlineData("document", "forget-document", Nobody, "--yes")]
    public async Task What_nobody_knows_exits_with_3(string kind, params string[] args)
    {
        var result = await RunAsync([.. args, "--json"]);

        Assert.Equal(
            (3, $"there is no {kind} {Nobody}"), (result.ExitCode, result.Json.GetProperty("problem").GetString()));
    }

    private Task<CommandResult> ForgetAsync(params string[] args) => RunAsync(
        ["forget-document", $"{_document}", "--reason", "request 4711", "--yes", "--files", _files.FullName, .. args]);

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", args);

    private Task TaintAsync() => _database.ExecuteAsync(
        $"select ml.taint_models(array['{_document}'::uuid], 'forgotten')", Cancellation);

    private async Task<RunId> AddModelAsync()
    {
        var model = await _rows.AddReadyModelAsync(_project);
        await _database.ExecuteAsync(
            $"""
            insert into ml.dataset_examples (
                dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            select id, organization_id, gen_random_uuid(), gen_random_uuid(), '{_document}', 'train', sha256('x')
            from   ml.datasets
            where  run_id = '{model}'
            """,
            Cancellation);
        return model;
    }
}
