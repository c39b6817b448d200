using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>What models find in texts in which nothing is to be found.</summary>
public sealed class EmptyTextTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly EmptyTextFigures None = new(0, 0, 0, null);

    private MeasuredWorld _world = null!;  // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await MeasuredWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_text_of_which_people_rejected_all_counts_with_all_that_was_found()
    {
        await _world.AddReviewedAsync(new(), accepted: 0, rejected: 3);
        await _world.AddReviewedAsync(new(), accepted: 1, rejected: 2);

        var metrics = await _world.ReadAsync();

        Assert.Equal(new EmptyTextFigures(1, 1, 3, 3), metrics.Total.EmptyTexts);
        Assert.Equal((1, 5), (metrics.Total.Reviews.Accepted, metrics.Total.Reviews.Rejected));
    }

    [Fact]
    public async Task A_text_that_was_confirmed_as_empty_counts_with_none()
    {
        await ConfirmAsync(await _world.AddExtractionAsync(new()));
        await _world.AddExtractionAsync(new());

        Assert.Equal(new EmptyTextFigures(1, 0, 0, 0), (await _world.ReadAsync()).Total.EmptyTexts);
    }

    [Fact]
    public async Task Nothing_found_and_nothing_said_is_not_known_to_be_empty()
    {
        await _world.AddExtractionAsync(new());

        Assert.Equal(None, (await _world.ReadAsync()).Total.EmptyTexts);
    }

    [Fact]
    public async Task Whoever_rejects_must_be_a_person()
    {
        var job = await _world.AddExtractionAsync(new() { Stored = 2 });
        await _world.Rows.AddObjectAsync(_world.Project, MeasuredWorld.Given(job) with { Status = "rejected" });
        await _world.Rows.AddObjectAsync(
            _world.Project, MeasuredWorld.Given(job) with { Status = "rejected", IsReviewed = true });

        Assert.Equal(None, (await _world.ReadAsync()).Total.EmptyTexts);

        // A person who confirms the text as empty says so of all.
        await ConfirmAsync(job);
        Assert.Equal(new EmptyTextFigures(1, 1, 2, 2), (await _world.ReadAsync()).Total.EmptyTexts);
    }

    [Fact]
    public async Task An_object_that_is_not_rejected_is_stronger_than_a_confirmation()
    {
        var job = await _world.AddExtractionAsync(new() { Stored = 1 });
        await ConfirmAsync(job);
        await _world.Rows.AddObjectAsync(_world.Project, MeasuredWorld.Given(job));

        Assert.Equal(None, (await _world.ReadAsync()).Total.EmptyTexts);
    }

    [Fact]
    public async Task They_are_counted_by_tier_and_model()
    {
        var model = Guid.NewGuid();
        var tuned = new Extraction { Tier = ModelTier.Project, ModelId = model, Version = 2 };
        await _world.AddReviewedAsync(tuned, accepted: 0, rejected: 1);
        await ConfirmAsync(await _world.AddExtractionAsync(tuned));
        await _world.AddReviewedAsync(new(), accepted: 0, rejected: 2);
        await _world.AddReviewedAsync(new() { At = MeasuredWorld.Now.AddDays(-3) }, accepted: 0, rejected: 3);

        var metrics = await _world.ReadAsync();

        Assert.Equal(
            [new EmptyTextFigures(2, 1, 1, 0.5), None, new EmptyTextFigures(2, 2, 5, 2.5)],
            metrics.Tiers.Select(tier => tier.Figures.EmptyTexts));
        Assert.Equal(
            [new EmptyTextFigures(2, 2, 5, 2.5), new EmptyTextFigures(2, 1, 1, 0.5)],
            metrics.Models.OrderBy(each => each.Tier, StringComparer.Ordinal).Select(each => each.Figures.EmptyTexts));
        Assert.Equal(new EmptyTextFigures(4, 3, 6, 1.5), metrics.Total.EmptyTexts);
    }

    [Fact]
    public async Task Another_organizations_confirmations_count_for_nothing()
    {
        var job = await _world.AddExtractionAsync(new());
        await ConfirmAsync(job, organizationId: Guid.NewGuid());

        Assert.Equal(None, (await _world.ReadAsync(new Scope(_world.Organization, null))).Total.EmptyTexts);
    }

    private Task ConfirmAsync(Guid job, Guid? organizationId = null) => _world.Database.ExecuteAsync(
        $"""
        set session_replication_role = replica; -- the database itself refuses a row of another organization
        insert into ml.confirmed_empty (job_id, organization_id, project_id, confirmed_by, confirmed_at)
        values ('{job}', '{organizationId ?? _world.Organization}', '{_world.Project}', 'user:tester', now());
        set session_replication_role = origin
        """,
        Stop);
}
