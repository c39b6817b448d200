using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Evaluation;

/// <summary>How a new model is compared with others before it goes live, bound from the <c>Evaluation</c> section.</summary>
public sealed class EvaluationOptions
{
    public const string Section = "Evaluation";

    /// <summary>Most held-out chunks that each model is asked about; 0 compares nothing.</summary>
    [Range(0, 10_000)]
    public int MaxChunks { get; init; } = 200;

    /// <summary>Most US dollars that one evaluation costs, all models together.</summary>
    [Range(0.0, 10_000.0)]
    public decimal MaxUsd { get; init; } = 5;

    /// <summary>Calls of one evaluation at once.</summary>
    [Range(1, 64)]
    public int Concurrency { get; init; } = 4;

    /// <summary>
    /// How long one delivery asks before it hands over to the next one; well below what Pub/Sub waits for an answer, ten
    /// minutes at most.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:09:00")]
    public TimeSpan SliceTime { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>The pause after calls that failed.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>With fewer held-out documents nothing shows that a model is better; six are enough to show that it is worse.</summary>
    [Range(2, 10_000)]
    public int MinDocuments { get; init; } = 20;

    /// <summary>
    /// Whether a model of which nobody can tell whether it is better goes live where no tuned model is in use yet. Where one is
    /// in use, such a model is kept back.
    /// </summary>
    public bool PromoteWithoutEvidence { get; init; } = true;

    /// <summary>How much of the share of readable answers may be lost, 0 to 1.</summary>
    [Range(0.0, 1.0)]
    public double ToleratedValidRateLoss { get; init; } = 0.02;

    public PromotionPolicy Policy => new()
    {
        MinDocuments = MinDocuments,
        PromoteWithoutEvidence = PromoteWithoutEvidence,
        ToleratedValidRateLoss = ToleratedValidRateLoss,
    };
}

[OptionsValidator]
public sealed partial class EvaluationOptionsValidator : IValidateOptions<EvaluationOptions>;
