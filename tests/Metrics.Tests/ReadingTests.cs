using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>From rows to figures: by tier, by model, over time, of a project and of an organization.</summary>
public sealed class ReadingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Guid ProjectModel = Guid.Parse("00000000-0000-0000-0000-0000000000d1");
    private static readonly Guid GeneralModel = Guid.Parse("00000000-0000-0000-0000-0000000000d2");

    private MeasuredWorld _world = null!;  // xunit initializes it before each test

    public async ValueTask InitializeAsync() => _world = await MeasuredWorld.CreateAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Nothing_extracted_is_zeros_and_nulls()
    {
        var metrics = await _world.ReadAsync();

        Assert.Equal([ModelTier.Project, ModelTier.General, ModelTier.Base], metrics.Tiers.Select(each => each.Tier));
        Assert.All(
            metrics.Tiers.Select(each => each.Figures).Append(metrics.Total),
            figures =>
            {
                Assert.Equal((0L, null, 0m), (figures.Extractions, figures.UsageShare, figures.CostUsd));
                Assert.Equal((null, null), (figures.Latency.P50Ms, figures.Latency.P95Ms));
                Assert.Equal((null, null), (figures.Accuracy.Rate, figures.NeedsReview.Rate));
            });
        Assert.Equal((0, 0L, 30), (metrics.Models.Count, metrics.ModelsLeftOut, metrics.Total.OverTime.Count));
        Assert.Equal(TuningVerdict.TooFewReviews, metrics.TunedAgainstBase.Verdict);
    }

    [Fact]
    public async Task Each_tier_and_model_has_its_own_accuracy()
    {
        await _world.AddReviewedAsync(OfProject, accepted: 4, rejected: 1);
        await _world.AddReviewedAsync(OfProject with { Version = 3 }, accepted: 2, rejected: 0);
        await _world.AddReviewedAsync(OfGeneral, accepted: 2, rejected: 1);
        await _world.AddReviewedAsync(new Extraction(), accepted: 1, rejected: 3);
        await _world.AddReviewedAsync(new Extraction { BaseModel = "unpriced" }, accepted: 0, rejected: 1);

        var metrics = await _world.ReadAsync();

        Assert.Equal(
            [(6, 7), (2, 3), (1, 5)],
            metrics.Tiers.Select(each => ((int)each.Figures.Accuracy.Count, (int)each.Figures.Accuracy.Of)));
        Assert.Equal((9L, 15L), (metrics.Total.Accuracy.Count, metrics.Total.Accuracy.Of));
        Assert.Equal(
            [
                (ModelTier.Project, ProjectModel, _world.Project, "gemini-3.1-flash-lite", 6L, 7L),
                (ModelTier.Base, null, null, "gemini-3.1-flash-lite", 1, 4),
                (ModelTier.Base, null, null, "unpriced", 0, 1),
                (ModelTier.General, (Guid?)GeneralModel, (Guid?)null, (string?)"gemini-3.1-flash-lite", 2, 3),
            ],
            metrics.Models.Select(each => (
                each.Tier, each.ModelId, each.ProjectId, each.BaseModel, each.Figures.Accuracy.Count, each.Figures.Accuracy.Of)));
        Assert.Equal((8L, 10L, 1L, 5L), (
            metrics.TunedAgainstBase.Tuned.Count, metrics.TunedAgainstBase.Tuned.Of,
            metrics.TunedAgainstBase.Base.Count, metrics.TunedAgainstBase.Base.Of));
        Assert.Equal([0.4, 0.2, 0.4], metrics.Tiers.Select(each => each.Figures.UsageShare));
    }

    [Fact]
    public async Task A_correction_is_kept_and_not_accurate()
    {
        var job = await _world.AddExtractionAsync(new Extraction { Stored = 1 });
        var id = await _world.Rows.AddObjectAsync(_world.Project, MeasuredWorld.Given(job));
        await _world.Rows.AddObjectAsync(
            _world.Project, new ObjectRow { CanonicalId = id, Version = 2, Name = "General ledger" });

        var figures = (await _world.ReadAsync()).Total;

        Assert.Equal((0.0, 1.0), (figures.Accuracy.Rate, figures.Kept.Rate));
    }

    [Fact]
    public async Task Fallbacks_broken_and_repaired_answers_latency_tokens_and_cost()
    {
        for (var i = 1; i <= 20; i++)
        {
            await _world.AddExtractionAsync(OfProject with { LatencyMs = i * 100, IsRepaired = i == 1, IsValid = i > 2 });
        }

        await _world.AddExtractionAsync(
            new Extraction { ChosenTier = ModelTier.Project, ChosenModelId = ProjectModel, LatencyMs = 9_000 });

        var metrics = await _world.ReadAsync();

        var project = metrics.Tiers[0].Figures;
        Assert.Equal((20L, 0L, 2L, 1L), (
            project.Extractions, project.Fallbacks.Count, project.Invalid.Count, project.Repaired.Count));
        Assert.Equal(new Latency(1_000, 1_900), project.Latency);
        Assert.Equal(new Latency(1_000, 1_900), metrics.Models[0].Figures.Latency);
        Assert.Equal(new TokenCounts(20_000, 4_000), project.Tokens);
        Assert.Equal(((20_000 * 0.25m) + (4_000 * 1.5m)) * 1.5m / 1_000_000, project.CostUsd);
        Assert.Equal((1L, 1L), (metrics.Tiers[2].Figures.Fallbacks.Count, metrics.Tiers[2].Figures.Fallbacks.Of));
        Assert.Equal(project.CostUsd + 0.00055m, metrics.Total.CostUsd);
        Assert.Equal(new Latency(1_100, 2_000), metrics.Total.Latency);
    }

    [Fact]
    public async Task One_price_that_is_missing_makes_the_cost_unknown_and_not_0()
    {
        await _world.AddExtractionAsync(new Extraction());
        await _world.AddExtractionAsync(new Extraction { BaseModel = "unpriced" });
        await _world.AddExtractionAsync(new Extraction { BaseModel = null });
        await _world.AddExtractionAsync(OfGeneral);

        var metrics = await _world.ReadAsync();

        Assert.Null(metrics.Total.CostUsd);
        Assert.Equal([0m, 0.000825m, null], metrics.Tiers.Select(each => each.Figures.CostUsd));
        Assert.Equal(2, metrics.Models.Count(each => each.Figures.CostUsd is null));
    }

    [Fact]
    public async Task What_an_older_row_does_not_say_the_registry_knows()
    {
        var model = Guid.NewGuid();
        await _world.Database.ExecuteAsync(
            $"""
            begin; set local session_replication_role = replica;
            insert into ml.fine_tuned_models (
                id, organization_id, model_type, version, status, base_model, tuning_job, prompt_hash, dataset_id,
                training_dataset_uri, training_examples, validation_examples, created_at, updated_at)
            values ('{model}', '{_world.Organization}', 'general', 4, 'training', 'gemini-3.1-flash-lite', 'job', repeat('a', 64),
                    gen_random_uuid(), 'gs://b/train.jsonl', 1, 0, now(), now());
            commit
            """,
            TestContext.Current.CancellationToken);
        await _world.AddExtractionAsync(new Extraction { Tier = ModelTier.General, ModelId = model, BaseModel = null });

        var shown = Assert.Single((await _world.ReadAsync()).Models);

        Assert.Equal((4, "gemini-3.1-flash-lite", 0.000825m), (shown.Version, shown.BaseModel, shown.Figures.CostUsd));
    }

    [Fact]
    public async Task How_much_needed_a_review_stays_what_it_was_when_people_have_reviewed()
    {
        var recorded = await _world.AddExtractionAsync(new Extraction { Stored = 2, NeedsReview = 1 });
        var older = await _world.AddExtractionAsync(new Extraction { Stored = 2 });
        await _world.Rows.AddObjectAsync(
            _world.Project, MeasuredWorld.Given(recorded) with { IsReviewed = true, NeedsReview = false, Status = "accepted" });
        await _world.Rows.AddObjectAsync(_world.Project, MeasuredWorld.Given(older));
        await _world.Rows.AddObjectAsync(_world.Project, MeasuredWorld.Given(older) with { NeedsReview = false });

        var needsReview = (await _world.ReadAsync()).Total.NeedsReview;

        Assert.Equal(new Share(2, 4), needsReview);
    }

    [Fact]
    public async Task Over_time_by_the_day_of_the_extraction_in_utc()
    {
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 11, 24, 23, 59) }, accepted: 1, rejected: 0);
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 11, 25, 0, 0) }, accepted: 0, rejected: 2);
        await _world.AddReviewedAsync(OfGeneral with { At = At(2026, 11, 25, 12, 0) }, accepted: 3, rejected: 0);
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 11, 23, 23, 59) }, accepted: 9, rejected: 0);
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 11, 27, 0, 0) }, accepted: 9, rejected: 0);

        var metrics = await _world.ReadAsync("2026-11-24", "2026-11-26");

        Assert.Equal("day", metrics.Bucket);
        Assert.Equal(
            [("11-24", 1L, 1L, 1L), ("11-25", 2, 3, 5), ("11-26", 0, 0, 0)],
            metrics.Total.OverTime.Select(Told));
        Assert.Equal([("11-24", 1L, 1L, 1L), ("11-25", 1, 0, 2)], metrics.Tiers[2].Figures.OverTime.Select(Told));
        Assert.Equal(
            [("11-25", 1L, 3L, 3L)],
            Assert.Single(metrics.Models, each => each.ModelId == GeneralModel).Figures.OverTime.Select(Told));
    }

    [Fact]
    public async Task Over_a_long_time_by_weeks_of_which_the_period_may_cut_the_first()
    {
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 8, 1, 0, 0) }, accepted: 1, rejected: 0);
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 8, 2, 23, 59) }, accepted: 1, rejected: 0);
        await _world.AddReviewedAsync(new Extraction { At = At(2026, 8, 3, 0, 0) }, accepted: 0, rejected: 1);

        var metrics = await _world.ReadAsync("2026-08-01", "2026-11-26");

        Assert.Equal("week", metrics.Bucket);
        Assert.Equal([("08-01", 2L, 2L, 2L), ("08-03", 1, 0, 1)], metrics.Tiers[2].Figures.OverTime.Select(Told));
        Assert.Equal(18, metrics.Total.OverTime.Count);
    }

    [Fact]
    public async Task An_organization_is_the_sum_of_its_projects_and_nothing_of_others()
    {
        var second = await _world.Rows.AddProjectAsync(_world.Organization);
        var strange = await _world.Rows.AddOrganizationAsync();
        var far = await _world.Rows.AddProjectAsync(strange);
        await _world.AddReviewedAsync(new Extraction(), accepted: 1, rejected: 0);
        await _world.AddReviewedAsync(new Extraction(), accepted: 2, rejected: 0, second);
        var job = await _world.AddExtractionAsync(new Extraction { Stored = 1 }, far, strange);
        await _world.Rows.AddObjectAsync(far, MeasuredWorld.Given(job) with { IsReviewed = true, Status = "rejected" });

        var organization = await _world.ReadAsync(new Scope(_world.Organization, null));
        var project = await _world.ReadAsync();
        var misplaced = await _world.ReadAsync(new Scope(strange, _world.Project));

        Assert.Equal((2L, new Estimate(3, 3)), (organization.Total.Extractions, organization.Total.Accuracy));
        Assert.Equal((1L, new Estimate(1, 1)), (project.Total.Extractions, project.Total.Accuracy));
        Assert.Equal(0, misplaced.Total.Extractions);
    }

    [Fact]
    public async Task Models_of_projects_that_one_may_not_see_are_counted_and_not_listed()
    {
        var second = await _world.Rows.AddProjectAsync(_world.Organization);
        await _world.AddExtractionAsync(OfProject);
        await _world.AddExtractionAsync(OfProject with { ModelId = Guid.NewGuid() }, second);
        await _world.AddExtractionAsync(OfGeneral, second);
        await _world.AddExtractionAsync(new Extraction(), second);

        var all = await _world.ReadAsync(new Scope(_world.Organization, null));
        var some = await _world.ReadAsync(new Scope(_world.Organization, null), shownProjects: [_world.Project]);
        var none = await _world.ReadAsync(new Scope(_world.Organization, null), shownProjects: []);

        Assert.Equal((4, 0L), (all.Models.Count, all.ModelsLeftOut));
        Assert.Equal((3, 1L), (some.Models.Count, some.ModelsLeftOut));
        Assert.Equal(ProjectModel, Assert.Single(some.Models, each => each.Tier == ModelTier.Project).ModelId);
        Assert.Equal((2, 2L), (none.Models.Count, none.ModelsLeftOut));
        Assert.Equal(2, none.Tiers[0].Figures.Extractions);
    }

    [Fact]
    public async Task The_models_that_answered_most_are_listed_and_the_others_counted()
    {
        for (var i = 0; i < MetricsQueries.MostModels + 2; i++)
        {
            await _world.AddExtractionAsync(OfGeneral with { ModelId = Guid.NewGuid() });
        }

        await _world.AddExtractionAsync(OfProject);
        await _world.AddExtractionAsync(OfProject);

        var metrics = await _world.ReadAsync();

        Assert.Equal((MetricsQueries.MostModels, 3L), (metrics.Models.Count, metrics.ModelsLeftOut));
        Assert.Equal(ProjectModel, metrics.Models[0].ModelId);
        Assert.Equal(MetricsQueries.MostModels + 4, metrics.Total.Extractions);
    }

    private static Extraction OfProject => new() { Tier = ModelTier.Project, ModelId = ProjectModel, Version = 3 };

    private static Extraction OfGeneral => new() { Tier = ModelTier.General, ModelId = GeneralModel, Version = 1 };

    private static DateTimeOffset At(int year, int month, int day, int hour, int minute) =>
        new(year, month, day, hour, minute, 0, TimeSpan.Zero);

    private static (string Day, long Extractions, long Right, long Decided) Told(MetricsPoint point) => (
        point.From.ToString("MM-dd", System.Globalization.CultureInfo.InvariantCulture), point.Extractions, point.Accuracy.Count,
        point.Accuracy.Of);
}
