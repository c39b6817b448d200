using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>
/// What counts as verified, on rows as both generations of the product write them. Each is counted by the statistics and read
/// by an export, and both must say the same.
/// </summary>
public sealed class VerifiedTests(PostgresFixture postgres) : IAsyncLifetime
{
    private CountedProjectWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await CountedProjectWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("accepted", 0.85, true)]
    [InlineData("accepted", 0.84, false)]
    [InlineData("accepted", null, false)]
    [InlineData("draft", 0.95, false)]
    [InlineData("suggested", 0.95, false)]
    [InlineData("approved", 0.95, false)]
    [InlineData("", 0.95, false)]
    [InlineData(null, 0.95, false)]
    public async Task Confidence_counts_only_where_the_product_has_accepted(string? status, double? confidence, bool isAccepted)
    {
        await _world.AddAsync(new() { Status = status, Confidence = confidence, IsReviewed = false, Actor = "agent" });

        var statistics = await _world.ReadExactAsync();

        Assert.Equal((isAccepted ? 1 : 0, isAccepted ? 0 : 1), (statistics.AutoAccepted, statistics.Undecided));
    }

    [Theory]
    [InlineData("needs_review = true")]
    [InlineData("labels = '{other,requires_review}'")]
    public async Task What_waits_for_a_person_is_not_accepted(string mark)
    {
        await _world.AddAsync(new() { Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        Assert.Equal(1, (await _world.ReadExactAsync()).AutoAccepted);

        await _world.ExecuteAsync($"update kb.graph_objects set {mark}");

        Assert.Equal((0, 1), ((await _world.ReadExactAsync()).AutoAccepted, (await _world.ReadAsync()).Undecided));
    }

    [Fact]
    public async Task A_users_edit_is_a_decision_in_the_older_generation()
    {
        // The extraction's own row names a user, because the column does so by default; the old row of an edit is deleted.
        var canonical = Guid.NewGuid();
        var first = Legacy(canonical, version: 1) with { Actor = "user", Labels = ["requires_review"], Status = "draft" };
        var old = await _world.Rows.AddObjectAsync(_world.Project, first);
        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);

        await _world.ExecuteAsync("update kb.graph_objects set deleted_at = now()");
        await _world.Rows.AddObjectAsync(
            _world.Project, Legacy(canonical, version: 2) with { Actor = "user", SupersedesId = old, Status = "draft" });

        var statistics = await _world.ReadExactAsync();
        Assert.Equal((1, 1L), (statistics.HumanReviewed, statistics.ExamplesAvailable));
    }

    [Fact]
    public async Task A_users_edit_is_a_decision_in_the_newer_generation()
    {
        var canonical = Guid.NewGuid();
        await _world.Rows.AddObjectAsync(
            _world.Project,
            Legacy(canonical, version: 1) with { Actor = "agent", Status = "suggested", SupersedesId = Guid.NewGuid() });
        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);

        await _world.Rows.AddObjectAsync(
            _world.Project, Legacy(canonical, version: 2) with { Actor = "user", Status = "suggested" });
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);

        // What a program writes after the person does not undo the decision.
        await _world.Rows.AddObjectAsync(
            _world.Project, Legacy(canonical, version: 3) with { Actor = "system", Status = "suggested" });
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);
    }

    [Fact]
    public async Task An_edit_by_a_program_decides_nothing()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical, IsReviewed = false, Status = "draft" });
        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, IsReviewed = false, Status = "draft", Actor = "agent" });

        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);
    }

    [Fact]
    public async Task A_users_edit_on_a_branch_decides_nothing()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical, IsReviewed = false, Status = "draft" });
        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, IsReviewed = false, BranchId = Guid.NewGuid() });

        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);
    }

    [Fact]
    public async Task A_later_extraction_asks_for_a_decision_again()
    {
        var canonical = Guid.NewGuid();
        await _world.Rows.AddObjectAsync(_world.Project, Legacy(canonical, version: 1) with { Status = "suggested" });
        await _world.Rows.AddObjectAsync(_world.Project, Legacy(canonical, version: 2) with { Actor = "user" });
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);

        // The newer generation enriches an object that it knows: the properties then name the later extraction.
        var later = await _world.Rows.AddJobAsync(_world.Project, _world.Chunk);
        await _world.Rows.AddObjectAsync(
            _world.Project, Legacy(canonical, version: 3, later) with { Actor = "agent", Status = "suggested" });

        Assert.Equal(1, (await _world.ReadExactAsync()).Undecided);
    }

    [Fact]
    public async Task An_object_that_a_user_made_without_an_extraction_is_decided_and_belongs_to_no_text()
    {
        await _world.Rows.AddObjectAsync(_world.Project, new() { IsReviewed = false, Status = null });
        await _world.Rows.AddObjectAsync(_world.Project, new() { IsReviewed = false, Status = null, Actor = "agent" });

        var statistics = await _world.ReadExactAsync();

        Assert.Equal((1, 1, 0L), (statistics.HumanReviewed, statistics.Undecided, statistics.ExamplesAvailable));
    }

    [Fact]
    public async Task A_rejection_beats_whatever_else_is_said()
    {
        var canonical = Guid.NewGuid();
        await _world.AddAsync(new() { CanonicalId = canonical, IsReviewed = false });
        await _world.AddAsync(new() { CanonicalId = canonical, Version = 2, Status = "rejected", Confidence = 1 });

        Assert.Equal(1, (await _world.ReadExactAsync()).Rejected);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task What_our_own_model_found_and_the_product_accepted_does_not_confirm_itself(bool isTuned, bool isVerified)
    {
        await _world.AddAsync(new() { Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        await _world.AddResultAsync(_world.Job, isTuned);

        var statistics = await _world.ReadExactAsync();
        Assert.Equal((isVerified ? 1 : 0, isVerified ? 1L : 0L), (statistics.AutoAccepted, statistics.ExamplesAvailable));

        var own = await _world.Reader.ReadProjectAsync(
            _world.Organization, _world.Project,
            VerificationLevel.Of(new() { CountOwnAcceptances = true }), TestContext.Current.CancellationToken);
        Assert.Equal((1, 1L), (own!.AutoAccepted, own.ExamplesAvailable));

        await _world.ExecuteAsync("update kb.graph_objects set reviewed_by = gen_random_uuid()");
        Assert.Equal(1, (await _world.ReadExactAsync()).HumanReviewed);
    }

    [Fact]
    public async Task A_result_that_is_recorded_after_the_objects_counts_too()
    {
        await _world.AddAsync(new() { Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        Assert.Equal(1, (await _world.ReadExactAsync()).AutoAccepted);

        await _world.AddResultAsync(_world.Job, isTuned: true);

        Assert.Equal(0, (await _world.ReadExactAsync()).AutoAccepted);
    }

    [Fact]
    public async Task Other_statuses_can_be_those_that_accept()
    {
        await _world.AddAsync(new() { Status = "approved", Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        await _world.AddAsync(new() { Status = "accepted", Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        await _world.AddAsync(new() { Status = "accepted", Confidence = 0.95, IsReviewed = false, Actor = "agent" });
        Assert.Equal(2, (await _world.ReadExactAsync()).AutoAccepted);

        var rules = new CountingRules(new() { AcceptedStatuses = ["approved"] });
        var reader = new StatisticsReader(
            _world.Database.Database, new StatisticsFold(_world.Database.Database, rules));
        var statistics = await reader.ReadProjectAsync(
            _world.Organization, _world.Project, Figures.LevelOf(85), TestContext.Current.CancellationToken);

        Assert.Equal((1, 2), (statistics!.AutoAccepted, statistics.Undecided));
    }

    // As the product's own servers write it: the extraction and the confidence stand in the properties.
    private ObjectRow Legacy(Guid canonical, int version, Guid? job = null) => new()
    {
        CanonicalId = canonical,
        Version = version,
        IsReviewed = false,
        Properties =
            $$"""
            {"name": "Ledger", "description": "It books every payment of the bank.",
             "_extraction_job_id": "{{job ?? _world.Job}}", "_extraction_confidence": 0.8}
            """,
    };
}
