using FeedbackLoop.Runs;

namespace FeedbackLoop.Tuning;

/// <summary>What a tuning job is expected to cost, and what it has cost.</summary>
public static class TuningCost
{
    private const decimal Million = 1_000_000m;

    /// <summary>Of the model that a job is really tuned from, which an export can only guess.</summary>
    /// <param name="tokens">Of train.jsonl, one epoch.</param>
    /// <returns>US dollars, rounded up to a hundredth of a cent; null when the model has no price.</returns>
    public static decimal? EstimateUsd(
        long tokens, TuningParameters wish, int assumedEpochs, TuningPlan plan, BaseModelCatalogue catalogue) =>
        EstimateUsd(tokens, wish.Epochs, assumedEpochs, catalogue.Get(plan.BaseModel));

    /// <param name="tokens">Of train.jsonl, one epoch.</param>
    /// <param name="epochs">Null: Vertex chooses, and <paramref name="assumedEpochs"/> stands in.</param>
    /// <returns>US dollars, rounded up to a hundredth of a cent; null when the model has no price.</returns>
    public static decimal? EstimateUsd(long tokens, int? epochs, int assumedEpochs, BaseModel model) =>
        Usd(tokens, epochs ?? assumedEpochs, model);

    /// <summary>
    /// The price of what Vertex counted, instead of what we guessed. Google bills the tokens of the training file once
    /// an epoch, and its count is described as "Number of billable tokens in the tuning dataset"
    /// (<c>tuning_job.proto</c>): of the file, so the epochs are multiplied here. No page says whether the count already
    /// holds them; if it does, this figure is too high and never too low. Examples that Vertex dropped are not counted.
    /// It is not Google's bill: discounts, taxes and regional surcharges are not known here.
    /// </summary>
    /// <param name="epochs">As the run asked for. Null: Vertex chose, and tells nobody how many.</param>
    /// <returns>
    /// US dollars, rounded up to a hundredth of a cent. Null when it cannot be known: Vertex chose the epochs, or has not
    /// counted yet, or the model has no price.
    /// </returns>
    public static decimal? ActualUsd(TuningStatistics statistics, int? epochs, BaseModel model) =>
        statistics.BillableTokens > 0 && epochs is { } chosen ? Usd(statistics.BillableTokens, chosen, model) : null;

    private static decimal? Usd(long tokens, int epochs, BaseModel model) =>
        model.TrainingPrice is { } price ? Math.Ceiling(tokens / Million * epochs * price * 10_000m) / 10_000m : null;
}
