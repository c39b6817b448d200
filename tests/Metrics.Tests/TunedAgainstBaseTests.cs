using CsCheck;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>The difference of two rates, and what is said of it.</summary>
public sealed class TunedAgainstBaseTests
{
    // Newcombe 1998, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17,
    // 873–890, table II, method 10.
    [Theory]
    [InlineData(56, 70, 48, 80, 0.0524, 0.3339)]
    [InlineData(9, 10, 3, 10, 0.1705, 0.8090)]
    [InlineData(6, 7, 2, 7, 0.0582, 0.8062)]
    [InlineData(5, 56, 0, 29, -0.0381, 0.1926)]
    [InlineData(0, 10, 0, 20, -0.1611, 0.2775)]
    [InlineData(0, 10, 0, 10, -0.2775, 0.2775)]
    [InlineData(10, 10, 0, 20, 0.6791, 1.0)]
    [InlineData(10, 10, 0, 10, 0.6075, 1.0)]
    public void The_interval_is_the_one_of_the_published_examples(
        long count1, long of1, long count2, long of2, double low, double high)
    {
        var difference = RateDifference.Of(new(count1, of1), new(count2, of2))!.Value;

        Assert.Equal((low, high), (Math.Round(difference.Low, 4), Math.Round(difference.High, 4)));
    }

    [Fact]
    public void The_other_way_round_it_is_the_same_with_the_sign_changed() =>
        Gen.Select(Gen.Int[0, 50], Gen.Int[0, 50], Gen.Int[0, 50], Gen.Int[0, 50])
            .Where((a, b, c, d) => a + b > 0 && c + d > 0)
            .Sample((a, b, c, d) =>
            {
                var (first, second) = (new Estimate(a, a + b), new Estimate(c, c + d));
                var (there, back) = (RateDifference.Of(first, second)!.Value, RateDifference.Of(second, first)!.Value);

                return Math.Abs(there.Value + back.Value) < 1e-12 && Math.Abs(there.Low + back.High) < 1e-12
                    && there.Low <= there.Value + 1e-12 && there.Value <= there.High + 1e-12;
            });

    [Theory]
    [InlineData(90, 100, 70, 100, TuningVerdict.Better)]
    [InlineData(70, 100, 90, 100, TuningVerdict.Worse)]
    [InlineData(85, 100, 80, 100, TuningVerdict.CannotTell)]
    [InlineData(29, 29, 0, 1000, TuningVerdict.TooFewReviews)]
    [InlineData(1000, 1000, 0, 29, TuningVerdict.TooFewReviews)]
    [InlineData(30, 30, 0, 30, TuningVerdict.Better)]
    [InlineData(0, 0, 40, 50, TuningVerdict.TooFewReviews)]
    [InlineData(0, 0, 0, 0, TuningVerdict.TooFewReviews)]
    public void A_verdict_takes_thirty_reviews_of_each_and_an_interval_without_0(
        long right, long tuned, long rightOfBase, long @base, string verdict) =>
        Assert.Equal(verdict, TunedAgainstBase.Of(new(right, tuned), new(rightOfBase, @base)).Verdict);

    [Theory]
    [InlineData(
        90, 100, 70, 100,
        "Tuned models are better: 90 of 100 decided objects of tuned models were right as they were (90.0 %), 70 of 100 of base "
        + "models (70.0 %). The difference is +20.0 points, 95 % interval +9.0 to +30.6.")]
    [InlineData(
        3, 3, 1200, 2000,
        "Cannot tell yet, too few reviews: people have decided 3 objects of tuned models and 2,000 of base models, and it takes "
        + "30 of each.")]
    public void The_sentence_has_the_figures(long right, long tuned, long rightOfBase, long @base, string sentence) =>
        Assert.Equal(sentence, TunedAgainstBase.Of(new(right, tuned), new(rightOfBase, @base)).Sentence);

    [Fact]
    public void Without_reviews_of_one_there_is_no_difference()
    {
        var compared = TunedAgainstBase.Of(new(4, 5), new(0, 0));

        Assert.Equal((null, null, null), (compared.Difference, compared.Low, compared.High));
    }
}
