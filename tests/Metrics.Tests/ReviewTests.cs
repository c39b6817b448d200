using FeedbackLoop.Testing;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>What became of an object, by the shapes in which a review shows in the product's tables.</summary>
public sealed class ReviewTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Other = """{"name": "Ledger", "description": "It books every payment of the bank.", "vendor": "Acme"}""";

    private MeasuredWorld _world = null!;  // xunit initializes it before each test
    private Guid _job;

    public async ValueTask InitializeAsync()
    {
        _world = await MeasuredWorld.CreateAsync(postgres);
        _job = await _world.AddExtractionAsync(new Extraction { Stored = 1, NeedsReview = 1 });
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Nobody_has_looked()
    {
        await AddAsync(Given);

        Assert.Equal(Counts(undecided: 1), await ReadAsync());
    }

    [Fact]
    public async Task Accepted_without_a_person()
    {
        await AddAsync(Given with { Status = "accepted", NeedsReview = false });

        Assert.Equal(Counts(acceptedWithoutReview: 1), await ReadAsync());
    }

    [Fact]
    public async Task Accepted_and_still_marked_for_review_is_undecided()
    {
        await AddAsync(Given with { Status = "accepted", NeedsReview = true });

        Assert.Equal(Counts(undecided: 1), await ReadAsync());
    }

    [Fact]
    public async Task Accepted_by_a_person_in_place()
    {
        await AddAsync(Reviewed);

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Accepted_in_a_version_of_its_own_with_the_extraction_copied_or_not(bool isCopied)
    {
        await AddAsync(Given, Reviewed with { JobId = isCopied ? _job : null });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Corrected_in_a_version_of_its_own_with_the_extraction_copied_or_not(bool isCopied)
    {
        await AddAsync(Given, Reviewed with { JobId = isCopied ? _job : null, Name = "General ledger" });

        Assert.Equal(Counts(corrected: 1), await ReadAsync());
    }

    [Fact]
    public async Task The_older_generation_deletes_the_version_that_it_supersedes()
    {
        var first = await AddAsync(Given with { IsDeleted = true });
        await AddVersionAsync(first, Reviewed with { Version = 2, SupersedesId = first });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task The_newer_generation_marks_the_version_that_is_superseded()
    {
        var second = Guid.NewGuid();
        var first = await AddAsync(Given with { SupersedesId = second });
        await AddVersionAsync(first, Reviewed with { Version = 2 });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task Only_the_last_of_several_versions_counts()
    {
        await AddAsync(Given, Reviewed with { Name = "Wrong" }, Reviewed with { Status = "rejected" }, Reviewed);

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task Every_part_that_was_changed_is_counted_and_the_object_once()
    {
        await AddAsync(
            Given with { Key = "K-1" },
            Reviewed with
            {
                Type = "Technology",
                Key = "K-2",
                Properties = """{"name": "Kafka", "description": "", "vendor": "Acme"}""",
            });

        var reviews = (await _world.ReadAsync()).Total.Reviews;
        Assert.Equal(Counts(corrected: 1), reviews with { Corrections = None });
        Assert.Equal(new Corrections(Type: 1, Name: 1, Description: 1, Properties: 1, BusinessKey: 1), reviews.Corrections);
    }

    [Theory]
    [InlineData("Technology", null, null, "1 0 0 0 0")]
    [InlineData("System", null, """{"name": "Kafka", "description": "It books every payment of the bank."}""", "0 1 0 0 0")]
    [InlineData("System", null, """{"name": "Ledger"}""", "0 0 1 0 0")]
    [InlineData("System", null, Other, "0 0 0 1 0")]
    [InlineData("System", "K-1", null, "0 0 0 0 1")]
    public async Task One_part_that_was_changed_is_counted_as_itself(
        string type, string? key, string? properties, string changes)
    {
        await AddAsync(Given, Reviewed with { Type = type, Key = key, Properties = properties });

        var (t, n, d, p, k) = (await _world.ReadAsync()).Total.Reviews.Corrections;
        Assert.Equal(changes, $"{t} {n} {d} {p} {k}");
    }

    [Fact]
    public async Task A_key_that_finds_its_column_and_what_the_product_notes_for_itself_are_no_corrections()
    {
        const string given = """{"name": "Ledger", "description": "It books.", "business_key": "K-1", "vendor": "Acme"}""";
        const string noted = """{"vendor": "Acme", "name": "Ledger", "description": "It books.", "_merged_at": "2026-11-26"}""";
        await AddAsync(Given with { Properties = given }, Reviewed with { Key = "K-1", Properties = noted });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task Changed_and_not_reviewed_is_undecided()
    {
        await AddAsync(Given, Given with { Name = "General ledger", JobId = null });

        Assert.Equal(Counts(undecided: 1), await ReadAsync());
    }

    [Fact]
    public async Task Rejected_by_a_person_in_place()
    {
        await AddAsync(Reviewed with { Status = "rejected" });

        Assert.Equal(Counts(rejected: 1), await ReadAsync());
    }

    [Fact]
    public async Task A_correction_that_is_rejected_is_a_rejection_only()
    {
        await AddAsync(Given, Reviewed with { Status = "rejected", Name = "General ledger" });

        Assert.Equal(Counts(rejected: 1), await ReadAsync());
    }

    [Fact]
    public async Task Deleted_by_a_user_in_a_tombstone_that_names_no_reviewer()
    {
        await AddAsync(Given, Given with { JobId = null, IsDeleted = true, Actor = "user" });

        Assert.Equal(Counts(rejected: 1), await ReadAsync());
    }

    [Fact]
    public async Task Rejected_by_a_user_in_a_version_that_names_no_reviewer()
    {
        await AddAsync(Given, Given with { JobId = null, Status = "rejected", Actor = "user" });

        Assert.Equal(Counts(rejected: 1), await ReadAsync());
    }

    [Theory]
    [InlineData("system")]
    [InlineData("agent")]
    public async Task Deleted_by_the_product_itself_says_nothing_of_the_model(string actor)
    {
        await AddAsync(Reviewed, Given with { JobId = null, IsDeleted = true, Actor = actor });

        Assert.Equal(Counts(rejectedWithoutReview: 1), await ReadAsync());
    }

    [Theory]
    [InlineData("draft", true)]
    [InlineData("rejected", false)]
    public async Task Deleted_or_rejected_in_place_without_a_reviewer_names_nobody(string status, bool isDeleted)
    {
        await AddAsync(Given with { Status = status, IsDeleted = isDeleted });

        Assert.Equal(Counts(rejectedWithoutReview: 1), await ReadAsync());
    }

    [Fact]
    public async Task Restored_after_its_deletion_is_what_the_last_version_says()
    {
        await AddAsync(Given, Given with { IsDeleted = true, Actor = "user" }, Reviewed);

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task A_version_on_a_branch_changes_nothing()
    {
        var first = await AddAsync(Reviewed);
        await AddVersionAsync(
            first, Reviewed with { Version = 2, Status = "rejected", BranchId = Guid.NewGuid() });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    [Fact]
    public async Task An_object_without_a_row_is_gone()
    {
        Assert.Equal(Counts() with { Gone = 1 }, await ReadAsync());
    }

    [Fact]
    public async Task An_object_of_a_job_that_no_worker_of_ours_did_is_not_counted()
    {
        await AddAsync(Reviewed);
        await AddAsync(Reviewed with { JobId = await _world.Rows.AddJobAsync(_world.Project) });
        await AddAsync(Reviewed with { JobId = null });

        Assert.Equal(Counts(accepted: 1), await ReadAsync());
    }

    private static Corrections None { get; } = new(0, 0, 0, 0, 0);

    private ObjectRow Given => MeasuredWorld.Given(_job);

    private ObjectRow Reviewed => Given with { Status = "accepted", NeedsReview = false, IsReviewed = true };

    private static ReviewOutcomes Counts(
        long accepted = 0, long corrected = 0, long rejected = 0, long acceptedWithoutReview = 0,
        long rejectedWithoutReview = 0, long undecided = 0) => new(
            accepted + corrected + rejected + acceptedWithoutReview + rejectedWithoutReview + undecided, accepted, corrected,
            rejected, acceptedWithoutReview, rejectedWithoutReview, undecided, Gone: 0, None);

    private async Task<ReviewOutcomes> ReadAsync() => (await _world.ReadAsync()).Total.Reviews with { Corrections = None };

    /// <returns>The canonical id.</returns>
    private async Task<Guid> AddAsync(ObjectRow first, params ObjectRow[] later)
    {
        var id = await _world.Rows.AddObjectAsync(_world.Project, first);
        for (var i = 0; i < later.Length; i++)
        {
            await AddVersionAsync(id, later[i] with { Version = i + 2 });
        }

        return id;
    }

    private Task<Guid> AddVersionAsync(Guid canonicalId, ObjectRow row) =>
        _world.Rows.AddObjectAsync(_world.Project, row with { CanonicalId = canonicalId });
}
