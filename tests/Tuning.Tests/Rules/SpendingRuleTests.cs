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
        Assert.Null(SpendingRule.Refuse(null, Of(limit, committed), (decimal)estimate));

    [Theory]
    [InlineData(50, 0, 50.0001)]
    [InlineData(50, 49.99, 0.02)]
    [InlineData(50, 60, 0)]
    [InlineData(0, 0, 0.0001)]
    public void What_would_pass_it_may_not(double limit, double committed, double estimate) =>
        Assert.NotNull(SpendingRule.Refuse(null, Of(limit, committed), (decimal)estimate));

    [Fact]
    public void The_refusal_has_the_figures() => Assert.Equal(
        "the training is estimated at 12.345 USD; with 41.00 USD already committed in June 2026 it would pass the "
        + "organization's monthly limit of 50.00 USD",
        SpendingRule.Refuse(null, Of(50, 41), 12.345m));

    [Fact]
    public void A_stop_holds_everything_and_does_not_tell_tenants_who_stopped()
    {
        var words = "all trainings are stopped since 2026-06-15 12:30 UTC: the bill doubled";

        Assert.Equal(words, SpendingRule.Refuse(Stop, Of(null, 0), 0));
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

    private static MonthlySpending Of(double? limit, double committed) =>
        new(Guid.Empty, new DateOnly(2026, 6, 1), (decimal?)limit, (decimal)committed);
}
