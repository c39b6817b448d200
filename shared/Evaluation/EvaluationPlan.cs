using FeedbackLoop.Tuning;

namespace FeedbackLoop.Evaluation;

/// <summary>Which held-out chunks are asked about: as many as the limits of number and cost allow.</summary>
public static class EvaluationPlan
{
    // UTF-8 bytes of a token: o200k has about 4.5 for English and fewer for most other languages, so this is on the dear side.
    private const int BytesPerToken = 3;

    /// <summary>What one chunk costs with all models, if they answer as the verified answer is long.</summary>
    public static decimal EstimateUsd(HeldOutChunk chunk, IEnumerable<TokenPrice> prices)
    {
        var (input, output) = (Tokens(chunk.PromptBytes), Tokens(chunk.AnswerBytes));
        return prices.Sum(price => price.Of(input, output));
    }

    /// <summary>Whether one more chunk may be added to what is chosen already.</summary>
    public static bool HasRoom(int chunks, decimal plannedUsd, decimal nextUsd, EvaluationOptions options) =>
        chunks < options.MaxChunks && plannedUsd + nextUsd <= options.MaxUsd;

    private static int Tokens(int bytes) => (bytes + BytesPerToken - 1) / BytesPerToken;
}
