using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>One extraction, as the worker records it. What a test does not say is an ordinary answer of the base model.</summary>
internal sealed record Extraction
{
    public string Tier { get; init; } = ModelTier.Base;
    public Guid? ModelId { get; init; }
    public int? Version { get; init; }
    public string? BaseModel { get; init; } = "gemini-3.1-flash-lite";
    public string? ChosenTier { get; init; }
    public Guid? ChosenModelId { get; init; }
    public DateTimeOffset At { get; init; } = MeasuredWorld.Now;
    public int LatencyMs { get; init; } = 1_000;
    public int InputTokens { get; init; } = 1_000;
    public int OutputTokens { get; init; } = 200;
    public bool IsValid { get; init; } = true;
    public bool IsRepaired { get; init; }
    public int Stored { get; init; }
    public int? NeedsReview { get; init; }
}

/// <summary>An organization with a project, its extractions, and the figures over them.</summary>
internal sealed class MeasuredWorld : IAsyncDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private MeasuredWorld(TestDatabase database) => (Database, Rows) = (database, new KnowledgeRows(database.Database));

    public TestDatabase Database { get; }

    public KnowledgeRows Rows { get; }

    public Guid Organization { get; private set; }

    public Guid Project { get; private set; }

    public BaseModelCatalogue Catalogue { get; } = new()
    {
        DefaultId = "gemini-3.1-flash-lite",
        Models =
        [
            new() { Id = "gemini-3.1-flash-lite", InputPrice = 0.25m, OutputPrice = 1.50m, TunedPriceMultiplier = 1.5m },
            new() { Id = "unpriced" },
        ],
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<MeasuredWorld> CreateAsync(PostgresFixture postgres)
    {
        var world = new MeasuredWorld(await postgres.CreateDatabaseAsync(Stop));
        world.Organization = await world.Rows.AddOrganizationAsync();
        world.Project = await world.Rows.AddProjectAsync(world.Organization);
        return world;
    }

    /// <summary>A row of <c>ml.extraction_results</c>; its models need not be in the registry.</summary>
    /// <returns>The extraction's job.</returns>
    public async Task<Guid> AddExtractionAsync(Extraction extraction, Guid? projectId = null, Guid? organizationId = null)
    {
        var project = projectId ?? Project;
        var job = await Rows.AddJobAsync(project);
        await using var db = await Database.Admin.OpenConnectionAsync(Stop);
        await using var tx = await db.BeginTransactionAsync(Stop);
        await using var command = db.CreateCommand();
        command.CommandText =
            """
            set local session_replication_role = replica;
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_model_id, chosen_reason, answered_tier,
                answered_model_id, answered_version, base_model, prompt_hash, latency_ms, input_tokens, output_tokens,
                is_valid, problem, is_repaired, entity_count, needs_review_count, created_at)
            values (
                gen_random_uuid(), @organization, @project, @job, @chosenTier, @chosenModel, 'a reason', @tier, @model, @version,
                @baseModel, repeat('a', 64), @latency, @input, @output, @isValid, case when not @isValid then 'no JSON' end,
                @isRepaired, @stored, @needsReview, @at)
            """;
        void Add(string name, object? value, NpgsqlTypes.NpgsqlDbType? type = null) => command.Parameters.Add(
            type is { } known
                ? new Npgsql.NpgsqlParameter(name, known) { Value = value ?? DBNull.Value }
                : new Npgsql.NpgsqlParameter(name, value));
        Add("organization", organizationId ?? Organization);
        Add("project", project);
        Add("job", job);
        Add("chosenTier", extraction.ChosenTier ?? extraction.Tier);
        Add("chosenModel", extraction.ChosenTier is null ? extraction.ModelId : extraction.ChosenModelId, NpgsqlTypes.NpgsqlDbType.Uuid);
        Add("tier", extraction.Tier);
        Add("model", extraction.ModelId, NpgsqlTypes.NpgsqlDbType.Uuid);
        Add("version", extraction.Version, NpgsqlTypes.NpgsqlDbType.Integer);
        Add("baseModel", extraction.BaseModel, NpgsqlTypes.NpgsqlDbType.Text);
        Add("latency", extraction.LatencyMs);
        Add("input", extraction.InputTokens);
        Add("output", extraction.OutputTokens);
        Add("isValid", extraction.IsValid);
        Add("isRepaired", extraction.IsRepaired);
        Add("stored", extraction.Stored);
        Add("needsReview", extraction.NeedsReview, NpgsqlTypes.NpgsqlDbType.Integer);
        Add("at", extraction.At.UtcDateTime);
        await command.ExecuteNonQueryAsync(Stop);
        await tx.CommitAsync(Stop);
        return job;
    }

    /// <summary>An extraction of that many objects, each as the worker stores it and then reviewed in place, or not.</summary>
    public async Task AddReviewedAsync(Extraction extraction, int accepted, int rejected, Guid? projectId = null)
    {
        var job = await AddExtractionAsync(extraction with { Stored = accepted + rejected }, projectId);
        for (var i = 0; i < accepted + rejected; i++)
        {
            await Rows.AddObjectAsync(
                projectId ?? Project,
                Given(job) with { IsReviewed = true, Status = i < accepted ? "accepted" : "rejected", NeedsReview = false });
        }
    }

    /// <summary>An object as the worker stores it for a person.</summary>
    public static ObjectRow Given(Guid job) => new()
    {
        JobId = job,
        Status = "draft",
        NeedsReview = true,
        IsReviewed = false,
        Actor = "agent",
        Confidence = 0.8,
    };

    public Task<ExtractionMetrics> ReadAsync(string? from = null, string? to = null) =>
        ReadAsync(new Scope(Organization, Project), from, to);

    public Task<ExtractionMetrics> ReadAsync(
        Scope scope, string? from = null, string? to = null, Guid[]? shownProjects = null)
    {
        Assert.True(MetricsPeriod.TryRead(from, to, DateOnly.FromDateTime(Now.UtcDateTime), out var period, out _));
        return new MetricsReader(Database.Database.OpenConnectionAsync, Catalogue, new VerificationOptions()).ReadAsync(
            scope, period, shownProjects, Stop);
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
