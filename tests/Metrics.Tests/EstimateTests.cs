using CsCheck;

namespace FeedbackLoop.Metrics.Tests;

/// <summary>A rate and what it says of what nobody has looked at.</summary>
public sealed class EstimateTests
{
    // Newcombe 1998, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 857–872, table I,
    // method 3: the score interval without correction for continuity.
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0.0, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void The_interval_is_the_one_of_the_published_examples(long count, long of, double low, double high)
    {
        var estimate = new Estimate(count, of);

        Assert.Equal((low, high), (Math.Round(estimate.Low!.Value, 4), Math.Round(estimate.High!.Value, 4)));
    }

    [Fact]
    public void Three_of_three_is_not_certainty()
    {
        var estimate = new Estimate(3, 3);

        Assert.Equal((1.0, 1.0), (estimate.Rate, estimate.High));
        Assert.Equal(0.4385, Math.Round(estimate.Low!.Value, 4));
    }

    [Fact]
    public void Nothing_looked_at_is_no_rate()
    {
        var estimate = new Estimate(0, 0);

        Assert.Equal((null, null, null), (estimate.Rate, estimate.Low, estimate.High));
        Assert.Null(new Share(0, 0).Rate);
    }

    [Fact]
    public void The_interval_holds_the_rate_within_0_and_1_and_is_the_mirror_of_its_complement() =>
        Gen.Long[1, 1_000_000].SelectMany(of => Gen.Long[0, of].Select(count => (count, of))).Sample(pair =>
        {
            var (count, of) = pair;
            var (estimate, complement) = (new Estimate(count, of), new Estimate(of - count, of));

            return estimate.Low >= 0 && estimate.Low <= estimate.Rate + 1e-12 && estimate.Rate <= estimate.High + 1e-12
                && estimate.High <= 1 && Math.Abs(estimate.Low!.Value + complement.High!.Value - 1) < 1e-9;
        });

    [Fact]
    public void More_reviews_of_the_same_rate_make_it_narrower() =>
        Gen.Select(Gen.Long[0, 100], Gen.Long[2, 50]).Sample((count, times) =>
        {
            var (few, many) = (new Estimate(count, 100), new Estimate(count * times, 100 * times));

            return many.High - many.Low < few.High - few.Low;
        });
}
