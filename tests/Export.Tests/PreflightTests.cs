using FeedbackLoop.Access;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Export.Tests;

/// <summary>What a preflight finds with the login of the admin API is what the export writes that follows.</summary>
public sealed class PreflightTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly BaseModelCatalogue Catalogue = new()
    {
        DefaultId = "gemini-3.1-flash-lite",
        Models =
        [
            new()
            {
                Id = "gemini-3.1-flash-lite",
                Tunable = true,
                ContinuousTuning = true,
                ServingLocations = new Dictionary<string, string> { ["us-central1"] = "us" },
                TrainingPrice = 3,
            },
        ],
    };

    private TestDatabase _database = null!; // xunit initializes it before each test
    private NpgsqlDataSource _api = null!;
    private KnowledgeRows _rows = null!;
    private Guid _organization;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _api = NpgsqlDataSource.Create(_database.ApiConnectionString);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Over_random_data_its_numbers_and_hashes_are_those_of_the_export(int seed)
    {
        var random = new Random(seed);
        var project = await AddRandomAsync(random);
        await AddRandomAsync(random);
        await AttributeAsync();
        var criteria = new ExportCriteria
        {
            MinConfidence = 0.5 + (0.1 * random.Next(5)),
            Pii = random.Next(2) == 0 ? PiiPolicy.Exclude : PiiPolicy.Redact,
            ValidationShare = random.NextDouble() * 0.23,
            MinExamples = 1,
        };

        foreach (var scope in (Scope[])[new(_organization, project), new(_organization, null)])
        {
            var report = await AssertSameAsync(scope, criteria);
            Assert.Equal(scope.IsGeneral, report.Contributors is { MaxShare: 0.5, LargestShare: > 0.3 and <= 0.5 });
            Assert.Equal(scope.IsGeneral, report.Excluded.ContainsKey("contributor_share"));
        }
    }

    [Fact]
    public async Task Over_the_sample_its_numbers_and_hashes_are_those_of_the_export()
    {
        await new KnowledgeImport(_database.Database, TimeProvider.System).ImportFileAsync(
            Path.Combine(Root(), "local", "sample", "enterprise-architecture.jsonl"), "Halvorsund Group", new ImportOptions(),
            progress: null, Cancellation);
        _organization = await _database.ScalarAsync<Guid>(
            "select id from kb.orgs where name = 'Halvorsund Group'", Cancellation);

        var report = await AssertSameAsync(new Scope(_organization, null), new ExportCriteria());

        Assert.True(report.WouldStart);
        Assert.True(report.Counts.ValidationExamples > 0);
    }

    [Fact]
    public async Task A_refusal_has_the_words_and_the_numbers_of_the_exports_own()
    {
        var project = await AddRandomAsync(new Random(7));
        var scope = new Scope(_organization, project);
        var criteria = new ExportCriteria { MinExamples = 100_000 };

        var report = await CheckAsync(scope, criteria);
        var refused = Assert.IsType<ExportResult.Refused>(await ExportAsync(scope, criteria, new MemoryDatasetStore()));

        Assert.False(report.WouldStart);
        Assert.Equal(
            new PreflightRefusal(PreflightObstacle.TooLittleData, refused.Reason), Assert.Single(report.Refusals));
        Assert.Equal(refused.Statistics.Counts, report.Counts);
        Assert.Equal(refused.Statistics.Excluded, report.Excluded);
    }

    [Fact]
    public async Task Another_tenants_data_is_not_there()
    {
        var foreign = await _rows.AddProjectAsync(await _rows.AddOrganizationAsync());
        await _rows.AddExamplesAsync(foreign, 60);

        var report = await CheckAsync(new Scope(_organization, foreign), new ExportCriteria());

        Assert.Equal(0, report.Counts.Candidates);
        Assert.Equal($"organization {_organization} has no project {foreign}", Assert.Single(report.Refusals).Reason);
    }

    private async Task<PreflightReport> AssertSameAsync(Scope scope, ExportCriteria criteria)
    {
        var report = await CheckAsync(scope, criteria);
        var store = new MemoryDatasetStore();
        var exported = Assert.IsType<ExportResult.Exported>(await ExportAsync(scope, criteria, store));

        Assert.Equal(exported.Content.Counts, report.Counts);
        Assert.Equal(exported.Content.Excluded, report.Excluded);
        Assert.Equal(exported.Content.LeftOut, report.LeftOut);
        Assert.Equal(exported.Content.Contributors, report.Contributors);
        Assert.Equal(exported.Content.Files, report.Files);
        Assert.All(report.Limits, limit => Assert.True(limit.Value <= limit.Limit, $"{limit}"));
        Assert.Equal(
            TuningCost.EstimateUsd(exported.Content.Counts.EstimatedTrainTokens, null, 4, Catalogue.GetDefault()),
            report.Tuning?.EstimatedUsd);
        Assert.Equal(report.ToJson(), PreflightReport.FromJson(report.ToJson()).ToJson());
        return report;
    }

    private Task<PreflightReport> CheckAsync(Scope scope, ExportCriteria criteria)
    {
        var connections = new TenantConnections(_api);
        var installation = new PreflightInstallation(
            new TuningTarget("projects/p/locations/us-central1", "test"), "bucket", new ExportOptions(), 4, Catalogue,
            new VerificationOptions(), new SpendingTerms(new SpendingOptions(), Catalogue));
        return new Preflight(
            async token => await connections.OpenAsync([_organization], token), new PiiScanner(), new TokenCounter(),
            installation, TimeProvider.System).CheckAsync(
                scope, RunPurpose.Training, RunParameters.Default with { Export = criteria }, startsRun: true,
                (_, _) => Task.CompletedTask, Cancellation);
    }

    private Task<ExportResult> ExportAsync(Scope scope, ExportCriteria criteria, MemoryDatasetStore store) =>
        new DatasetExporter(
            _database.Database, new PiiScanner(), new TokenCounter(), new Failpoints(), Options.Create(new VerificationOptions())).ExportAsync(
            scope, criteria, new ExportOptions().TestShare, new ExportOptions().MaxContributorShare(scope),
            new ExportOptions().MinExamples(scope, RunPurpose.Training, criteria),
            store, "f/", (_, _) => Task.CompletedTask, (_, _) => Task.CompletedTask, Cancellation);

    // Of three people one has decided about six texts in eight.
    private Task AttributeAsync() => _rows.ExecuteAsync(
        """
        update kb.graph_objects o
        set    reviewed_by = ('00000000-0000-0000-0000-00000000000' || least(c.chunk_index % 8, 2))::uuid
        from   kb.object_extraction_jobs j
        join   kb.chunks c on c.id = j.chunk_id
        where  j.id = o.extraction_job_id
        and    o.reviewed_by is not null
        """,
        new { });

    // Documents of several texts, of which some hold personal data, stand there twice, wait for decisions or say little.
    private async Task<Guid> AddRandomAsync(Random random)
    {
        var project = await _rows.AddProjectAsync(_organization);
        await _rows.AddExamplesAsync(project, 25);
        for (var i = 0; i < 25; i++)
        {
            var document = await _rows.AddDocumentAsync(project);
            for (var k = random.Next(3); k >= 0; k--)
            {
                var text = random.Next(5) switch
                {
                    0 => $"Write to jo.miller{random.Next(3)}@example.com.",
                    1 => "The same text for everybody.",
                    2 => $"A long one {i}. {string.Join(' ', Enumerable.Repeat("word", random.Next(4_000)))}",
                    _ => $"The Ledger {i} of part {k} books payments.",
                };
                var job = await _rows.AddJobAsync(project, await _rows.AddChunkAsync(document, text));
                for (var objects = random.Next(3); objects >= 0; objects--)
                {
                    await _rows.AddObjectAsync(project, new()
                    {
                        JobId = job,
                        Name = $"Ledger {i} {objects}",
                        IsReviewed = random.Next(2) == 0,
                        Confidence = random.NextDouble(),
                        Description = random.Next(4) == 0 ? "short" : "It books every payment of the bank.",
                        Status = random.Next(6) == 0 ? "rejected" : "accepted",
                    });
                }
            }
        }

        return project;
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Functions.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("Functions.sln is nowhere above");
        }

        return directory.FullName;
    }
}
