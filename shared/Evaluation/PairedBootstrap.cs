namespace FeedbackLoop.Evaluation;

/// <summary>A difference of two micro F1 and where it would lie if the documents were drawn again.</summary>
/// <param name="Documents">That the interval was made from.</param>
public sealed record DifferenceInterval(double Difference, double Low, double High, int Documents)
{
    public bool IsAbove(double bound) => Low > bound;

    public bool IsBelow(double bound) => High < bound;
}

/// <summary>
/// The paired bootstrap: documents are drawn with replacement, for both models the same ones, and the interval holds the middle
/// of the differences (percentile method).
/// </summary>
public static class PairedBootstrap
{
    public const int DefaultResamples = 2_000;

    /// <param name="one">Of a model, chunk by chunk.</param>
    /// <param name="other">Of the model it is compared with, the same chunks in the same order.</param>
    /// <param name="part">The counts that are compared.</param>
    /// <param name="confidence">Share of the differences inside the interval, such as 0.95.</param>
    /// <returns>Null when a model has neither answered nor was expected to find anything: there is no F1.</returns>
    /// <exception cref="ArgumentException">The chunks are not the same.</exception>
    public static DifferenceInterval? Compare(
        IReadOnlyList<ChunkScore> one, IReadOnlyList<ChunkScore> other, Func<ChunkScore, Counts> part, int seed,
        int resamples = DefaultResamples, double confidence = 0.95)
    {
        if (!one.Select(chunk => chunk.DocumentId).SequenceEqual(other.Select(chunk => chunk.DocumentId)))
        {
            throw new ArgumentException("the two models were scored on different chunks", nameof(other));
        }

        // Chunks of one document resemble each other: drawn one by one, they would make the interval too narrow.
        (Counts One, Counts Other)[] documents =
        [
            .. one.Zip(other)
                .GroupBy(pair => pair.First.DocumentId)
                .Select(pairs => pairs.Aggregate(
                    (One: default(Counts), Other: default(Counts)),
                    (sum, pair) => (sum.One + part(pair.First), sum.Other + part(pair.Second)))),
        ];
        if (Difference(documents, documents.Length, index => index) is not { } difference)
        {
            return null;
        }

        var random = new Random(seed);
        var differences = new List<double>(resamples);
        for (var i = 0; i < resamples; i++)
        {
            if (Difference(documents, documents.Length, _ => random.Next(documents.Length)) is { } drawn)
            {
                differences.Add(drawn);
            }
        }

        differences.Sort();
        var tail = (1 - confidence) / 2;
        return new(difference, Quantile(differences, tail), Quantile(differences, 1 - tail), documents.Length);
    }

    private static double? Difference((Counts One, Counts Other)[] documents, int count, Func<int, int> draw)
    {
        var (one, other) = (default(Counts), default(Counts));
        for (var i = 0; i < count; i++)
        {
            var document = documents[draw(i)];
            (one, other) = (one + document.One, other + document.Other);
        }

        // Who had nothing to find and named nothing has made no mistake; the other one may have made many.
        return one.F1 is null && other.F1 is null ? null : (one.F1 ?? 1) - (other.F1 ?? 1);
    }

    // Between two neighbours, as most programs for statistics have it by default.
    private static double Quantile(List<double> sorted, double share)
    {
        var position = share * (sorted.Count - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
