namespace FeedbackLoop.Evaluation.Tests;

public sealed class PairedBootstrapTests
{
    private static readonly IReadOnlyDictionary<string, Counts> None = new Dictionary<string, Counts>();

    [Fact]
    public void A_model_compared_with_itself_differs_in_nothing()
    {
        var scores = Scores(50, i => new Counts(i % 3, 3, 3));

        Assert.Equal(new DifferenceInterval(0, 0, 0, 50), Compare(scores, scores));
    }

    [Fact]
    public void What_is_better_in_each_document_is_better_in_each_draw()
    {
        var interval = Compare(Scores(40, _ => new(2, 3, 3)), Scores(40, _ => new(1, 3, 3)))!;

        Assert.Equal((1 / 3.0, true), (interval.Difference, interval.IsAbove(0.333)));
        Assert.Equal((interval.Difference, interval.Difference), (interval.Low, interval.High));
    }

    [Fact]
    public void The_same_seed_draws_the_same_and_another_one_not()
    {
        var (one, other) = (Scores(60, i => new(i % 4, 4, 4)), Scores(60, i => new(i % 3, 4, 4)));

        Assert.Equal(Compare(one, other), Compare(one, other));
        Assert.NotEqual(Compare(one, other), Compare(one, other, seed: 2));
    }

    [Fact]
    public void Turned_round_the_interval_is_its_mirror()
    {
        var (one, other) = (Scores(60, i => new(i % 4, 4, 4)), Scores(60, i => new(i % 3, 4, 4)));

        var (there, back) = (Compare(one, other)!, Compare(other, one)!);

        Assert.Equal((-there.Difference, -there.High, -there.Low), (back.Difference, back.Low, back.High));
    }

    [Fact]
    public void Chunks_of_one_document_are_drawn_together()
    {
        // A hundred copies of ten documents know no more than the ten do.
        static Counts First(int i) => new(i % 4, 4, 4);
        static Counts Second(int i) => new(i % 3, 4, 4);
        var few = Compare(Scores(10, First), Scores(10, Second))!;
        var copies = Compare(Scores(1_000, i => First(i % 10), i => i % 10), Scores(1_000, i => Second(i % 10), i => i % 10))!;
        var many = Compare(Scores(1_000, i => First(i % 10)), Scores(1_000, i => Second(i % 10)))!;

        Assert.Equal((few.Low, few.High, 10), (copies.Low, copies.High, copies.Documents));
        Assert.True(many.High - many.Low < (few.High - few.Low) / 5);
    }

    [Fact]
    public void An_interval_holds_the_true_difference_about_as_often_as_it_says()
    {
        // Two models of 0.6 and 0.5, drawn 300 times: 95 % of the intervals should hold 0.1. Five deviations are allowed.
        const int trials = 300;
        var random = new Random(20_261_125);
        var held = 0;
        for (var trial = 0; trial < trials; trial++)
        {
            var (one, other) = (Scores(80, _ => Drawn(0.6)), Scores(80, _ => Drawn(0.5)));
            var interval = Compare(one, other, seed: trial, resamples: 400)!;
            held += interval is { Low: <= 0.1, High: >= 0.1 } ? 1 : 0;
        }

        Assert.InRange(held / (double)trials, 0.95 - (5 * Math.Sqrt(0.95 * 0.05 / trials)), 1);

        Counts Drawn(double share) => new(Enumerable.Range(0, 10).Count(_ => random.NextDouble() < share), 10, 10);
    }

    [Fact]
    public void A_quantile_lies_between_its_two_neighbours()
    {
        // Two draws of two documents: of what each may come to, the interval's ends are 2.5 % and 97.5 % of the way.
        var (one, other) = (Scores(2, i => new(i, 4, 4)), Scores(2, _ => new(2, 4, 4)));
        double[] possible = [-0.5, -0.375, -0.25];
        var intervals = Enumerable.Range(0, 40).Select(seed => Compare(one, other, seed, resamples: 2)!).ToList();

        Assert.All(intervals, interval => Assert.Contains(
            from low in possible
            from high in possible
            where low <= high
            select (Low: low + (0.025 * (high - low)), High: low + (0.975 * (high - low))),
            ends => Math.Abs(ends.Low - interval.Low) < 1e-12 && Math.Abs(ends.High - interval.High) < 1e-12));
        Assert.Contains(intervals, interval => interval.Low < interval.High);
    }

    [Fact]
    public void Without_anything_to_find_there_is_no_difference() =>
        Assert.Null(Compare(Scores(5, _ => default), Scores(5, _ => default)));

    [Fact]
    public void Who_invents_where_there_is_nothing_to_find_is_worse_than_who_is_silent()
    {
        var invented = Compare(Scores(30, _ => new(0, 4, 0)), Scores(30, _ => default));

        Assert.Equal(new DifferenceInterval(-1, -1, -1, 30), invented);
        Assert.Equal(
            new DifferenceInterval(1, 1, 1, 30), Compare(Scores(30, _ => default), Scores(30, _ => new(0, 4, 0))));
    }

    [Fact]
    public void Scores_of_other_chunks_are_refused() =>
        Assert.Throws<ArgumentException>(() => Compare(Scores(5, _ => new(1, 1, 1)), Scores(6, _ => new(1, 1, 1))));

    private static DifferenceInterval? Compare(
        IReadOnlyList<ChunkScore> one, IReadOnlyList<ChunkScore> other, int seed = 1, int resamples = 1_000) =>
        PairedBootstrap.Compare(one, other, chunk => chunk.Relationships, seed, resamples);

    private static IReadOnlyList<ChunkScore> Scores(int count, Func<int, Counts> counts, Func<int, int>? document = null) =>
        [.. Enumerable.Range(0, count).Select(i => new ChunkScore(
            new Guid(document?.Invoke(i) ?? i, 0, 0, new byte[8]), IsValid: true, None, counts(i), default, 0, 0))];
}
