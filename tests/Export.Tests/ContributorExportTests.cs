using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Export.Tests;

/// <summary>What one person has decided, from rows to files.</summary>
public sealed class ContributorExportTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Guid Ada = new("00000000-0000-0000-0000-0000000000a1");
    private static readonly Guid Bob = new("00000000-0000-0000-0000-0000000000b2");
    private static readonly Guid Cleo = new("00000000-0000-0000-0000-0000000000c3");

    private readonly Dictionary<Guid, Guid?> _people = [];
    private TestDatabase _database = null!; // these four are set before each test
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task One_of_three_people_has_at_most_half_of_what_a_general_model_learns_from()
    {
        await AddAsync((Ada, 90), (Bob, 15), (Cleo, 10), (null, 8));
        var store = new MemoryDatasetStore();

        var (content, origins) = await ExportAsync(isGeneral: true, store, validationShare: 0);

        var learnt = origins.Where(each => each.Split != DocumentSplit.Test).ToList();
        var (ada, all) = (learnt.Count(each => _people[each.JobId] == Ada), learnt.Count);
        Assert.InRange((double)ada / all, 0.45, 0.5);
        Assert.Equal(
            new ContributorCounts(3, Math.Round((double)ada / all, 4), 0.5, learnt.Count(each => _people[each.JobId] is null)),
            content.Contributors);
        Assert.Equal(123 - origins.Count, content.Excluded["contributor_share"]);

        // Nobody else's are left out, and nothing of what is held out.
        Assert.Equal(33, origins.Count(each => _people[each.JobId] != Ada));
        Assert.Equal(await HeldOutAsync(), origins.Where(each => each.Split == DocumentSplit.Test).Select(each => each.JobId).Order());
        Assert.All(store.Names, name => Assert.DoesNotContain(
            "00000000-0000-0000-0000-0000000000", Encoding.UTF8.GetString(store.Find(name)!), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_projects_model_learns_from_all_of_one_person_unless_an_option_says_otherwise()
    {
        await AddAsync((Ada, 50), (Bob, 4), (Cleo, 4));

        var (free, origins) = await ExportAsync(isGeneral: false, new());
        var (limited, _) = await ExportAsync(
            isGeneral: false, new(), new ExportOptions { MaxProjectContributorShare = 0.6 });

        Assert.Equal(58, origins.Count);
        Assert.Null(free.Contributors);
        Assert.True(limited.Contributors is { People: 3, MaxShare: 0.6, LargestShare: > 0.5 and <= 0.6 });
    }

    [Fact]
    public async Task Two_people_are_not_limited()
    {
        await AddAsync((Ada, 50), (Bob, 4));

        var (content, origins) = await ExportAsync(isGeneral: true, new());

        Assert.Equal(54, origins.Count);
        Assert.True(content.Contributors is { People: 2, MaxShare: null, LargestShare: > 0.8 });
    }

    [Fact]
    public async Task The_share_is_of_what_is_written_also_where_other_peoples_examples_are_left_out_for_their_texts()
    {
        await AddAsync((Ada, 40), (Bob, 40), (Cleo, 40));
        await _rows.ExecuteAsync(
            """
            update kb.chunks c
            set    text = text || ' Write to jo.miller@example.com.'
            from   kb.object_extraction_jobs j
            join   kb.graph_objects o on o.extraction_job_id = j.id
            where  j.chunk_id = c.id
            and    o.reviewed_by <> @Ada
            and    c.chunk_index % 4 <> 0
            """,
            new { Ada });

        var (content, origins) = await ExportAsync(isGeneral: true, new());

        var learnt = origins.Where(each => each.Split != DocumentSplit.Test).ToList();
        Assert.InRange(learnt.Count(each => _people[each.JobId] == Ada), learnt.Count / 3, learnt.Count / 2);
        Assert.InRange(content.Excluded["contributor_share"], 10, 30);
        Assert.Equal(120, origins.Count + content.Excluded.Values.Sum());
    }

    [Fact]
    public async Task The_same_data_gives_the_same_examples_and_a_smaller_share_some_of_them()
    {
        await AddAsync((Ada, 90), (Bob, 15), (Cleo, 10));

        var half = await OriginsAsync(0.5);
        Assert.Equal(half, await OriginsAsync(0.5));
        Assert.Subset(half.ToHashSet(), (await OriginsAsync(0.4)).ToHashSet());

        async Task<IReadOnlyList<Guid>> OriginsAsync(double share)
        {
            var (_, origins) = await ExportAsync(
                isGeneral: true, new(), new ExportOptions { MaxGeneralContributorShare = share }, validationShare: 0);
            return [.. origins.Select(each => each.JobId)];
        }
    }

    [Fact]
    public async Task An_extraction_is_the_decision_of_who_verified_most_of_its_objects()
    {
        var most = await AddTextAsync();
        await VerifyAsync(most, Cleo, Cleo, Ada);
        var tie = await AddTextAsync();
        await VerifyAsync(tie, Cleo, Bob, Bob, Cleo, null, null, null);
        var accepted = await AddTextAsync();
        await VerifyAsync(accepted, null, null);
        var edited = await AddTextAsync();
        await EditAsync(edited, Ada, Bob);
        var turnedDown = await AddTextAsync();
        await VerifyAsync(turnedDown, Ada);
        await RejectAsync(turnedDown, Bob, Bob);
        var empty = await AddTextAsync();
        await RejectAsync(empty, Bob, Cleo, Cleo);
        var (byPage, byCommand) = (await AddTextAsync(), await AddTextAsync());
        await _rows.ExecuteAsync(
            """
            insert into ml.confirmed_empty
            values (@byPage, @_organization, @_project, 'user:' || @Bob, now()), (@byCommand, @_organization, @_project, 'operator', now())
            """,
            new { byPage, byCommand, _organization, _project, Bob });

        var expected = new Dictionary<Guid, string?>
        {
            [most] = $"{Cleo}",
            [tie] = $"{Bob}",
            [accepted] = null,
            [edited] = $"{Bob}",
            [turnedDown] = $"{Ada}",
            [empty] = $"{Cleo}",
            [byPage] = $"{Bob}",
            [byCommand] = "operator",
        };
        var (chunks, counted) = await ReadAsync(isAttributed: true);
        Assert.Equal(expected, chunks);
        Assert.Equal(expected, counted);
        Assert.All((await ReadAsync(isAttributed: false)).Chunks.Values, Assert.Null);
    }

    private async Task<(Dictionary<Guid, string?> Chunks, Dictionary<Guid, string?> Counted)> ReadAsync(bool isAttributed)
    {
        var rule = VerificationRule.Of(new ExportCriteria(), new VerificationOptions());
        await using var snapshot = await KnowledgeSnapshot.OpenAsync(
            _database.Database, new KnowledgeSelection(_organization, _project, rule, IncludeDeleted: true, Seed: 1, isAttributed),
            Cancellation);
        var (chunks, counted) = (new Dictionary<Guid, string?>(), new Dictionary<Guid, string?>());
        await foreach (var chunk in snapshot.StreamChunksAsync(Cancellation))
        {
            chunks[chunk.JobId] = chunk.Contributor;
        }

        await foreach (var document in snapshot.StreamContentsAsync(maxUndecidedShare: 1, Cancellation))
        {
            foreach (var (job, person) in document.Jobs.Zip(document.Contributors)
                .Concat(document.EmptyJobs.Zip(document.EmptyContributors)))
            {
                counted[job] = person;
            }
        }

        return (chunks, counted);
    }

    private async Task AddAsync(params (Guid? Person, int Count)[] people)
    {
        foreach (var (person, count) in people)
        {
            for (var i = 0; i < count; i++)
            {
                var job = await AddTextAsync();
                await VerifyAsync(job, person);
                _people[job] = person;
            }
        }
    }

    private async Task<Guid> AddTextAsync()
    {
        var chunk = await _rows.AddChunkAsync(
            await _rows.AddDocumentAsync(_project), $"The Ledger books payment {Guid.NewGuid():N} in its part.");
        return await _rows.AddJobAsync(_project, chunk);
    }

    private async Task VerifyAsync(Guid job, params Guid?[] people)
    {
        foreach (var person in people)
        {
            await _rows.AddObjectAsync(_project, new()
            {
                JobId = job,
                Name = $"Ledger {Guid.NewGuid():N}",
                IsReviewed = person is not null,
                ReviewedBy = person,
                Confidence = 0.99,
                Actor = "system",
            });
        }
    }

    private async Task RejectAsync(Guid job, params Guid[] people)
    {
        foreach (var person in people)
        {
            await _rows.AddObjectAsync(_project, new() { JobId = job, Status = "rejected", ReviewedBy = person });
        }
    }

    // No reviewer is named: whoever wrote the last version has decided, and the extraction's own version is nobody's.
    private async Task EditAsync(Guid job, params Guid[] people)
    {
        var first = await _rows.AddObjectAsync(
            _project, new() { JobId = job, IsReviewed = false, Status = "draft", ActorId = Cleo });
        for (var version = 2; version < people.Length + 2; version++)
        {
            await _rows.AddObjectAsync(_project, new()
            {
                CanonicalId = first,
                Version = version,
                JobId = version == 2 ? job : null,
                IsReviewed = false,
                ActorId = people[version - 2],
            });
        }
    }

    private async Task<IEnumerable<Guid>> HeldOutAsync()
    {
        await using var snapshot = await KnowledgeSnapshot.OpenAsync(
            _database.Database,
            new KnowledgeSelection(
                _organization, null, VerificationRule.Of(new ExportCriteria(), new VerificationOptions()), IncludeDeleted: true,
                Seed: 1),
            Cancellation);
        var heldOut = new List<Guid>();
        await foreach (var chunk in snapshot.StreamChunksAsync(Cancellation))
        {
            if (DocumentSplit.SideOf(0, chunk.DocumentId, new ExportOptions().TestShare, 0) == DocumentSplit.Test)
            {
                heldOut.Add(chunk.JobId);
            }
        }

        return heldOut.Order();
    }

    private async Task<(DatasetMetadata Content, IReadOnlyList<ExampleOrigin> Origins)> ExportAsync(
        bool isGeneral, MemoryDatasetStore store, ExportOptions? options = null, double validationShare = 0.1)
    {
        var exporter = new DatasetExporter(
            _database.Database, new PiiScanner(), new TokenCounter(), new Failpoints(),
            Options.Create(new VerificationOptions()));
        var origins = new List<ExampleOrigin>();
        var scope = new Scope(_organization, isGeneral ? null : _project);
        options ??= new ExportOptions();
        var result = await exporter.ExportAsync(
            scope, new ExportCriteria { ValidationShare = validationShare }, options.TestShare, options.MaxContributorShare(scope),
            minExamples: 1, store, "x/", (_, _) => Task.CompletedTask,
            (origin, _) =>
            {
                origins.Add(origin);
                return Task.CompletedTask;
            },
            Cancellation);
        return (Assert.IsType<ExportResult.Exported>(result).Content, origins);
    }
}
