using FeedbackLoop.Spending;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class SpendingRuleTests
{
    private static readonly SpendingStop Stop = new(
        new DateTimeOffset(2026, 6, 15, 12, 30, 0, TimeSpan.Zero), "ops@example.com", "the bill doubled");

    [Theory]
    [InlineData(null, 1_000_000, 1_000_000)]
    [InlineData(50.0, 0, 50)]
    [InlineData(50.0, 49.99, 0.01)]
    [InlineData(0.0, 0, 0)]
    public void What_keeps_to_the_limit_may_be_paid_for(double? limit, double committed, double estimate) =>
        Assert.Null(SpendingRule.Refuse(null, Of(limit, committed), (decimal)estimate, "m"));

    [Theory]
    [InlineData(50, 0, 50.0001)]
    [InlineData(50, 49.99, 0.02)]
    [InlineData(50, 60, 0)]
    [InlineData(0, 0, 0.0001)]
    public void What_would_pass_it_may_not(double limit, double committed, double estimate) =>
        Assert.NotNull(SpendingRule.Refuse(null, Of(limit, committed), (decimal)estimate, "m"));

    [Fact]
    public void The_refusal_has_the_figures() => Assert.Equal(
        "the training is estimated at 12.345 USD; with 41.00 USD already committed in June 2026 it would pass the "
        + "organization's monthly limit of 50.00 USD",
        SpendingRule.Refuse(null, Of(50, 41), 12.345m, "m"));

    [Fact]
    public void A_stop_holds_everything_and_does_not_tell_tenants_who_stopped()
    {
        var words = "all spending is stopped since 2026-06-15 12:30 UTC: the bill doubled";

        Assert.Equal(words, SpendingRule.Refuse(Stop, Of(null, 0), 0, "m"));
        Assert.Equal(words, SpendingRule.Hold(Stop, null));
    }

    [Theory]
    [InlineData(null, 10, false)]
    [InlineData(50.0, 49.99, false)]
    [InlineData(50.0, 50, true)]
    [InlineData(0.0, 0, true)]
    public void Nothing_begins_when_nothing_is_left(double? limit, double committed, bool isHeld) =>
        Assert.Equal(isHeld, SpendingRule.Hold(null, Of(limit, committed)) is not null);

    [Fact]
    public void The_hold_has_the_figures() => Assert.Equal(
        "the organization's monthly limit of 50.00 USD is used up: 51.50 USD are committed in June 2026",
        SpendingRule.Hold(null, Of(50, 51.5)));

    [Fact]
    public void The_sums_of_all_kinds_count_together()
    {
        var spending = Of(50, 0) with { TuningUsd = 20, EvaluationUsd = 5, ExtractionUsd = 20 };

        Assert.Equal(45, spending.CommittedUsd);
        Assert.Null(SpendingRule.Refuse(null, spending, 5, "m"));
        Assert.NotNull(SpendingRule.Refuse(null, spending, 5.01m, "m"));
    }

    [Fact]
    public void The_installation_s_limit_is_named_as_such() => Assert.Equal(
        "the organization's monthly limit of 50.00 USD (the installation's default) is used up: 50.00 USD are committed in June "
        + "2026",
        SpendingRule.Hold(null, Of(50, 50) with { IsDefaultLimit = true }));

    [Fact]
    public void A_model_without_a_price_is_refused_where_money_is_limited_by_name_and_setting()
    {
        Assert.Equal(
            "what a training of m costs is not known, and the organization has a monthly limit of 50.00 USD: set TrainingPrice of "
            + "m in BaseModels:Models",
            SpendingRule.Refuse(null, Of(50, 0), null, "m"));
        Assert.Null(SpendingRule.Refuse(null, Of(null, 0), null, "m"));
    }

    [Theory]
    [InlineData(SpendingKind.Extraction)]
    [InlineData(SpendingKind.Evaluation)]
    public void Answers_without_a_price_are_no_zero_beside_a_limit(string kind)
    {
        var words = "what answers of a and b have cost in June 2026 is not known, and the organization has a monthly limit of 50.00 "
            + "USD: set InputPrice and OutputPrice of a and b in BaseModels:Models";
        UnpricedUse[] unpriced = [new(kind, "b"), new(kind, "a"), new(SpendingKind.Extraction, "b")];

        Assert.Equal(words, SpendingRule.Refuse(null, Of(50, 0) with { Unpriced = unpriced }, 1, "m"));
        Assert.Equal(words, SpendingRule.Hold(null, Of(50, 0) with { Unpriced = unpriced }));
        Assert.Equal(words, SpendingRule.RefuseEvaluation(Of(50, 0) with { Unpriced = unpriced }, 1, []));
        Assert.Null(SpendingRule.Hold(null, Of(null, 0) with { Unpriced = unpriced }));
        Assert.Null(SpendingRule.Refuse(null, Of(null, 0) with { Unpriced = unpriced }, 1, "m"));
    }

    [Fact]
    public void What_no_setting_mends_is_shown_and_does_not_stop() => Assert.Null(SpendingRule.Hold(
        null,
        Of(50, 0) with { Unpriced = [new(SpendingKind.Extraction, ""), new(SpendingKind.Tuning, "gemini-3.5-flash")] }));

    [Theory]
    [InlineData(null, 1_000_000, 1_000_000, false)]
    [InlineData(50.0, 49, 1, false)]
    [InlineData(50.0, 49, 1.01, true)]
    [InlineData(50.0, 60, 0, true)]
    public void A_comparison_keeps_to_the_limit_too(double? limit, double committed, double estimate, bool isRefused) =>
        Assert.Equal(
            isRefused, SpendingRule.RefuseEvaluation(Of(limit, committed), (decimal)estimate, []) is not null);

    [Fact]
    public void The_refusal_of_a_comparison_has_the_figures_or_the_setting()
    {
        Assert.Equal(
            "what is left of the comparison is estimated at 2.50 USD; with 49.00 USD already committed in June 2026 it would pass "
            + "the organization's monthly limit of 50.00 USD",
            SpendingRule.RefuseEvaluation(Of(50, 49), 2.5m, []));
        Assert.Equal(
            "what answers of m cost is not known, and the organization has a monthly limit of 50.00 USD: set InputPrice and "
            + "OutputPrice of m in BaseModels:Models",
            SpendingRule.RefuseEvaluation(Of(50, 0), 0, ["m"]));
        Assert.Null(SpendingRule.RefuseEvaluation(Of(null, 0), 0, ["m"]));
    }

    private static MonthlySpending Of(double? limit, double committed) => new(
        Guid.Empty, new DateOnly(2026, 6, 1), (decimal?)limit, IsDefaultLimit: false, (decimal)committed, EvaluationUsd: 0,
        ExtractionUsd: 0, Unpriced: []);
}
