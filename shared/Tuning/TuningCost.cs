namespace FeedbackLoop.Tuning;

/// <summary>What a tuning job is expected to cost.</summary>
public static class TuningCost
{
    private const decimal Million = 1_000_000m;

    /// <param name="tokens">Of train.jsonl, one epoch.</param>
    /// <param name="epochs">Null: Vertex chooses, and <paramref name="assumedEpochs"/> stands in.</param>
    /// <returns>US dollars, rounded up to a hundredth of a cent.</returns>
    public static decimal EstimateUsd(long tokens, int? epochs, int assumedEpochs, BaseModel model) =>
        Math.Ceiling(tokens / Million * (epochs ?? assumedEpochs) * model.TrainingPrice * 10_000m) / 10_000m;
}
