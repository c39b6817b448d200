using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>The switch that stops all trainings, and the month's sums.</summary>
public sealed class SpendingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await postgres.CreateDatabaseAsync(Cancellation);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Trainings_are_stopped_once_and_resumed_once()
    {
        var before = await RunAsync("spending");
        var stopped = await RunAsync("stop-spending", "--reason", "the bill has doubled", "--json");
        var twice = await RunAsync("stop-spending", "--reason", "again");
        var meanwhile = await RunAsync("spending");
        var resumed = await RunAsync("resume-spending");
        var again = await RunAsync("resume-spending");

        Assert.Equal(
            (0, "Nothing is stopped.\nNo organization has a limit of its own, or anything committed this month.\n"),
            (before.ExitCode, before.Output));
        Assert.Equal(
            (0, "the bill has doubled"),
            (stopped.ExitCode, stopped.Json.GetProperty("stop").GetProperty("reason").GetString()));
        Assert.Equal((3, "error: all spending is stopped already\nSee: feedbackloop spending\n"), (twice.ExitCode, twice.Error));
        Assert.Matches("^All spending is stopped since .*Z by cli:.*: the bill has doubled\n", meanwhile.Output);
        Assert.Equal((0, "Spending goes on.\n"), (resumed.ExitCode, resumed.Output));
        Assert.Equal((3, "error: nothing is stopped\nSee: feedbackloop spending\n"), (again.ExitCode, again.Error));
        Assert.Equal("the bill has doubled", await _database.ScalarAsync<string>(
            "select reason from ml.spending_stops where resumed_by like 'cli:%'", Cancellation));
    }

    [Fact]
    public async Task Organizations_with_a_limit_are_listed_with_what_they_have_committed()
    {
        var organization = await _database.AddOrganizationAsync(Cancellation);
        await _database.ExecuteAsync(
            $"""
            insert into ml.training_schedules (id, organization_id, monthly_limit_usd, created_at, updated_at)
            values (gen_random_uuid(), '{organization}', 25, now(), now())
            """,
            Cancellation);

        var forPeople = await RunAsync("spending");
        var forMachines = await RunAsync("spending", "--json");

        Assert.Matches("\nORGANIZATION .*COMMITTED IN ....-.. +TUNING +EVALUATION +EXTRACTION +LIMIT\n(organization +(0.00 USD +){4}25.00 USD\n)$", forPeople.Output);
        var row = Assert.Single(forMachines.Json.GetProperty("organizations").EnumerateArray());
        Assert.Equal(
            (organization, 0m, 25m),
            (row.GetProperty("organizationId").GetGuid(), row.GetProperty("committedUsd").GetDecimal(),
                row.GetProperty("limitUsd").GetDecimal()));
    }

    [Fact]
    public async Task What_extractions_have_cost_is_shown_and_what_nobody_knows_too()
    {
        var organization = await _database.AddOrganizationAsync(Cancellation);
        var project = await _database.AddProjectAsync(organization, Cancellation);
        await _database.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, base_model, prompt_hash,
                latency_ms, input_tokens, output_tokens, is_valid, created_at)
            select gen_random_uuid(), '{organization}', '{project}', gen_random_uuid(), 'base', 'r', 'base', m, repeat('a', 64), 1,
                   10000000, 0, true, now()
            from   unnest(array['gemini-3.1-flash-lite', 'gemini-9', null]) m
            """,
            Cancellation);

        var forPeople = await RunAsync("spending");
        var forMachines = await RunAsync("spending", "--json");

        Assert.Matches(
            "\norganization +2.50 USD +0.00 USD +0.00 USD +2.50 USD +100.00 USD .default.\n"
            + "organization: what extraction with a model that was not noted has cost is not known.\n"
            + "organization: what extraction with gemini-9 has cost is not known.\n$",
            forPeople.Output);
        var row = Assert.Single(forMachines.Json.GetProperty("organizations").EnumerateArray());
        Assert.Equal(
            (2.5m, true, 2),
            (row.GetProperty("extractionUsd").GetDecimal(), row.GetProperty("isDefaultLimit").GetBoolean(),
                row.GetProperty("unpriced").GetArrayLength()));
    }

    [Fact]
    public async Task While_all_is_stopped_no_training_is_started_by_hand()
    {
        var organization = await _database.AddOrganizationAsync(Cancellation);
        await RunAsync("stop-spending", "--reason", "audit");

        var environment = FeedbackloopProcess.Environment(_database.ConnectionString);
        environment["GoogleCloud__Location"] = "us-central1";
        var refused = await FeedbackloopProcess.RunAsync(
            environment, "", "train-general-model", "--organization", $"{organization}");

        Assert.Equal(3, refused.ExitCode);
        Assert.Matches(
            "^error: no training may start now: all spending is stopped since .* UTC: audit\nSee: feedbackloop spending\n$",
            refused.Error);
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", args);
}
