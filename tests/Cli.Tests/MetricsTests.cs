using System.Globalization;
using System.Text.Json;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Metrics;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Cli;

/// <summary>The figures of extractions, as tables and as the API's object.</summary>
public sealed class MetricsTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test
    private TrainingRows _rows = null!;
    private Scope _organization;
    private Scope _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Today => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Nothing_extracted_is_said_in_one_line()
    {
        var result = await RunAsync("--organization", $"{_organization.OrganizationId}", "--from", "2026-01-01", "--to", "2026-01-31");

        Assert.Equal(
            (0, $"0 extractions of organization {_organization.OrganizationId}, 2026-01-01 to 2026-01-31 (UTC).\n"),
            (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task Tables_show_tiers_reviews_models_and_days()
    {
        var model = await _rows.AddReadyModelAsync(_project);
        await AddExtractionAsync("project", model, "gemini-3.1-flash-lite", accepted: 3, rejected: 1);
        await AddExtractionAsync("base", null, "gemini-9", accepted: 1, rejected: 1);

        var result = await RunAsync("--organization", $"{_organization.OrganizationId}");

        Assert.Contains("\nNo extracted text is known to hold nothing to find.\n", result.Output, StringComparison.Ordinal);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains(
            "too few reviews: people have decided 4 objects of tuned models and 2 of base models", result.Output,
            StringComparison.Ordinal);
        Assert.Matches(@"\nproject +1 +50\.0 % +75\.0 % \(30 to 95\), 3 of 4 +75\.0 % +50\.0 % .* 800 +800 +1,000 +100 +0\.0006 USD\n", result.Output);
        Assert.Matches(@"\nall +2 +100\.0 % +66\.7 % .*unknown\n", result.Output);
        Assert.Matches(@"\nproject +3 +0 +1 +0 +0 +0 +0 +–\n", result.Output);
        Assert.Matches($@"\n{model} +1 +project +gemini-3\.1-flash-lite +1 ", result.Output);
        Assert.Matches(@"\n– +– +base +gemini-9 +1 +50\.0 % +50\.0 % \(9 to 91\), 1 of 2 .*unknown\n", result.Output);
        Assert.Matches($@"\n{Today} +2 +66\.7 % \(30 to 90\), 4 of 6 +75\.0 % .*50\.0 % ", result.Output);
    }

    [Fact]
    public async Task What_is_invented_where_nothing_is_to_be_found_stands_in_a_table_of_eighty_columns()
    {
        var model = await _rows.AddReadyModelAsync(_project);
        await AddExtractionAsync("project", model, "gemini-3.1-flash-lite", accepted: 0, rejected: 1);
        await AddExtractionAsync("project", model, "gemini-3.1-flash-lite", accepted: 1, rejected: 3);
        await AddExtractionAsync("base", null, "gemini-9", accepted: 0, rejected: 5);

        var result = await RunAsync("--organization", $"{_organization.OrganizationId}");

        var lines = result.Output.Split('\n').SkipWhile(line => !line.StartsWith("NOTHING TO FIND", StringComparison.Ordinal))
            .TakeWhile(line => line is not "").Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal(
            [
                "NOTHING TO FIND TEXTS WITH INVENTIONS INVENTED INVENTED PER TEXT", "project 1 1 1 1.00", "base 1 1 5 5.00",
                "all 2 2 6 3.00", "project, version 1 1 1 1 1.00", "gemini-9 1 1 5 5.00",
            ],
            lines);
        Assert.All(
            result.Output.Split('\n').SkipWhile(line => !line.StartsWith("NOTHING", StringComparison.Ordinal))
                .TakeWhile(line => line is not ""),
            line => Assert.InRange(line.Length, 1, 80));
    }

    [Fact]
    public async Task For_machines_it_is_the_object_of_the_api_nulls_among_it()
    {
        await AddExtractionAsync("base", null, "gemini-9", accepted: 1, rejected: 1);
        Assert.True(MetricsPeriod.TryRead(
            null, null, DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime), out var period, out _));

        var result = await RunAsync("--project", $"{_project.ProjectId}", "--json");

        var read = await new MetricsReader(_database.Database.OpenConnectionAsync, new BaseModelCatalogue(), new VerificationOptions()).ReadAsync(
            _project, period, shownProjects: null, Cancellation);
        Assert.Equal(JsonSerializer.Serialize(read, MetricsJson.Default.ExtractionMetrics), result.Json.GetRawText());
        Assert.Equal(JsonValueKind.Null, result.Json.GetProperty("total").GetProperty("costUsd").ValueKind);
    }

    [Fact]
    public async Task With_both_the_project_must_be_one_of_the_organization()
    {
        var other = await _rows.AddOrganizationAsync();

        var own = await RunAsync("--organization", $"{_organization.OrganizationId}", "--project", $"{_project.ProjectId}");
        var strange = await RunAsync("--organization", $"{other.OrganizationId}", "--project", $"{_project.ProjectId}");
        var unknown = await RunAsync("--organization", $"{Guid.Empty}");

        Assert.StartsWith($"0 extractions of project {_project.ProjectId}, ", own.Output, StringComparison.Ordinal);
        Assert.Equal(
            (3, $"error: organization {other.OrganizationId} has no project {_project.ProjectId}\nCheck the id and --database.\n"),
            (strange.ExitCode, strange.Error));
        Assert.Equal(3, unknown.ExitCode);
    }

    [Theory]
    [InlineData("--from must be a date such as 20..-..-.., and is 'soon'", "--from", "soon")]
    [InlineData("--to must be from 2020-01-01 to 20..-..-.., which is today in UTC, and is 2999-01-01", "--to", "2999-01-01")]
    [InlineData("--from must be one of the 366 days up to 2026-01-02, and is 2025-01-01, 367 days up to it", "--from", "2025-01-01", "--to", "2026-01-02")]
    [InlineData("--from must not be after the last day, 2026-01-02, and is 2026-01-03", "--from", "2026-01-03", "--to", "2026-01-02")]
    public async Task A_wrong_date_is_named_with_its_limit_and_its_value(string problem, params string[] args)
    {
        var result = await RunAsync(["--organization", $"{_organization.OrganizationId}", .. args]);

        Assert.Equal(2, result.ExitCode);
        Assert.Matches($"^error: {problem}\nSee: feedbackloop metrics --help\n$", result.Error);
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", ["metrics", .. args]);

    private async Task AddExtractionAsync(string tier, RunId? model, string baseModel, int accepted, int rejected)
    {
        var rows = new KnowledgeRows(_database.Database);
        var project = _project.ProjectId.GetValueOrDefault();
        var job = await rows.AddJobAsync(project);
        var modelId = model is { } id ? $"'{id}'" : "null";
        await _database.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_model_id, chosen_reason, answered_tier,
                answered_model_id, answered_version, base_model, prompt_hash, latency_ms, input_tokens, output_tokens, is_valid,
                entity_count, needs_review_count, created_at)
            values (gen_random_uuid(), '{_organization.OrganizationId}', '{project}', '{job}', '{tier}', {modelId}, 'a reason',
                    '{tier}', {modelId}, {(model is null ? "null" : "1")}, '{baseModel}', repeat('a', 64), 800, 1000, 100, true,
                    {accepted + rejected}, {(accepted + rejected) / 2}, now())
            """,
            Cancellation);
        for (var i = 0; i < accepted + rejected; i++)
        {
            await rows.AddObjectAsync(
                project, new() { JobId = job, Status = i < accepted ? "accepted" : "rejected", Actor = "agent" });
        }
    }
}
