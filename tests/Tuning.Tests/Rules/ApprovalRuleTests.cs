using FeedbackLoop.Runs;
using FeedbackLoop.Spending;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class ApprovalRuleTests
{
    private static readonly SpendingOptions Options = new();

    [Theory]
    [InlineData(50.0, null, null)]
    [InlineData(0.0001, null, null)]
    [InlineData(5.0, 1.0, null)]
    [InlineData(50.0, 10.0, null)]
    [InlineData(500.0, 100.0, 500.0)]
    [InlineData(499.0, 1.0, 500.0)]
    [InlineData(null, 1.0, null)]
    [InlineData(3.0, 0.0, null)]
    public void Nobody_is_asked(double? estimate, double? last, double? approved) =>
        Assert.Null(ApprovalRule.Ask((decimal?)estimate, (decimal?)last, (decimal?)approved, Options));

    [Theory]
    [InlineData(50.0001, null, null)]
    [InlineData(50.01, 50.0, null)]
    [InlineData(5.0001, 1.0, null)]
    [InlineData(0.51, 0.1, null)]
    [InlineData(81.32, 0.5, 81.31)]
    [InlineData(0.61, 0.1, 0.6)]
    public void A_person_is_asked(double estimate, double? last, double? approved) =>
        Assert.NotNull(ApprovalRule.Ask((decimal)estimate, (decimal?)last, (decimal?)approved, Options));

    [Fact]
    public void The_question_has_the_figures()
    {
        Assert.Equal(
            "the training is estimated at 81.32 USD, more than the 50.00 USD that may be spent without an approval",
            ApprovalRule.Ask(81.32m, 0.5m, null, Options));
        Assert.Equal(
            "the training is estimated at 3.00 USD, more than 5 times the 0.50 USD of the last training",
            ApprovalRule.Ask(3, 0.5m, null, Options));
        Assert.Equal(
            "the training is estimated at 90.00 USD, more than the 50.00 USD that may be spent without an approval; 81.32 USD were "
            + "approved",
            ApprovalRule.Ask(90, 0.5m, 81.32m, Options));
    }

    [Fact]
    public void Sum_and_factor_are_options()
    {
        var options = new SpendingOptions { ApprovalUsd = 2, ApprovalFactor = 1.5m };

        Assert.NotNull(ApprovalRule.Ask(2.01m, null, null, options));
        Assert.NotNull(ApprovalRule.Ask(1.51m, 1, null, options));
        Assert.Null(ApprovalRule.Ask(1.5m, 1, null, options));
    }

    [Fact]
    public void As_many_trainings_of_a_day_as_allowed_and_no_more()
    {
        var first = new DateTimeOffset(2026, 6, 15, 12, 30, 0, TimeSpan.Zero);

        Assert.Null(new RunsOfDay(0, null).Refuse(1));
        Assert.Null(new RunsOfDay(9, first).Refuse(10));
        Assert.Equal(
            "10 trainings have begun within 24 hours, and 10 may; the next one may begin at 2026-06-16 12:30 UTC",
            new RunsOfDay(10, first).Refuse(10));
        Assert.NotNull(new RunsOfDay(11, first).Refuse(10));
    }
}
