using System.Globalization;

namespace FeedbackLoop.Evaluation;

/// <summary>Whether a new model answers better than the one that it would replace.</summary>
public enum EvaluationVerdict
{
    /// <summary>Better in entities or relationships, and worse in nothing.</summary>
    Better,

    /// <summary>The difference may be chance, there were too few chunks to tell, or nothing could be compared.</summary>
    NoEvidence,

    /// <summary>Worse in entities, in relationships, in texts with nothing to find, or in answers that can be read.</summary>
    Worse,
}

/// <summary>When a new model goes live by itself.</summary>
public sealed record PromotionPolicy
{
    /// <summary>With fewer held-out documents nothing shows that a model is better.</summary>
    public int MinDocuments { get; init; } = 20;

    /// <summary>
    /// Whether a model of which nobody can tell whether it is better goes live where no tuned model is in use yet. Where one is,
    /// such a model never replaces it.
    /// </summary>
    public bool PromoteWithoutEvidence { get; init; } = true;

    /// <summary>How much of the share of readable answers may be lost, 0 to 1.</summary>
    public double ToleratedValidRateLoss { get; init; } = 0.02;
}

/// <summary>A new model beside the one that it would replace, on the same held-out chunks.</summary>
/// <param name="Documents">In which something is to be found.</param>
/// <param name="Entities">Difference of the strict entity F1, new minus old; null: there is none.</param>
/// <param name="Relationships">The same for relationships with the types of their entities.</param>
/// <param name="Chunks">That both have answered.</param>
/// <param name="Readable">Answers of the new model that could be read.</param>
/// <param name="OtherReadable">Answers of the old one that could.</param>
/// <param name="Inventions">
/// In texts with nothing to find; null when there was none, or the comparison is from before they were counted.
/// </param>
public sealed record EvaluationComparison(
    int Documents, int Chunks, DifferenceInterval? Entities, DifferenceInterval? Relationships, int Readable,
    int OtherReadable, InventionComparison? Inventions = null);

/// <param name="Reason">For people, with the figures.</param>
public sealed record PromotionDecision(EvaluationVerdict Verdict, bool GoesLive, string Reason);

/// <summary>Decides whether a new model goes live by itself, and does nothing else: no clock, no database, no logger.</summary>
public static class PromotionGate
{
    /// <summary>With so many held-out documents a difference is enough to keep a model back.</summary>
    /// <remarks>
    /// Fewer than show that one is better: a model that is kept back waits for a person, and one that goes live answers
    /// everybody. The interval of so few documents is too narrow, so that this also keeps back some that are no worse.
    /// </remarks>
    public const int DocumentsThatKeepBack = 6;

    /// <param name="comparison">Null: there is no model to compare with, or nothing was held out.</param>
    /// <param name="isTunedInUse">Whether extractions use a tuned model that the new one would replace.</param>
    public static PromotionDecision Decide(
        EvaluationComparison? comparison, bool isTunedInUse, PromotionPolicy policy)
    {
        var (verdict, reason) = Judge(comparison, policy);
        return new(
            verdict,
            verdict is EvaluationVerdict.Better
                || (verdict is EvaluationVerdict.NoEvidence && policy.PromoteWithoutEvidence && !isTunedInUse),
            reason);
    }

    private static (EvaluationVerdict Verdict, string Reason) Judge(
        EvaluationComparison? comparison, PromotionPolicy policy)
    {
        if (comparison is null or { Documents: 0, Inventions: null })
        {
            return (EvaluationVerdict.NoEvidence, "no held-out chunks to compare on");
        }

        var figures = string.Join(
            "; ",
            new[]
            {
                InWords("entity F1", comparison.Entities), InWords("relationship F1", comparison.Relationships),
                comparison.Inventions?.InWords(),
            }
                .OfType<string>());

        // Answers that cannot be read are no matter of chance: even a few chunks show that a model has lost its form.
        var lost = comparison.OtherReadable - comparison.Readable;
        if (lost >= 2 && lost > policy.ToleratedValidRateLoss * comparison.Chunks)
        {
            return (EvaluationVerdict.Worse, string.Create(
                CultureInfo.InvariantCulture,
                $"{comparison.Readable} of {comparison.Chunks} answers are readable, down from {comparison.OtherReadable}; {figures}"));
        }

        // As exact for a few documents as for many, so that it comes before the minimum.
        if (comparison.Inventions is { IsClearlyMore: true } inventions)
        {
            return (EvaluationVerdict.Worse, string.Create(
                CultureInfo.InvariantCulture,
                $"it invents where nothing is to be found: more than before in {inventions.MoreIn} documents, fewer in {inventions.FewerIn}; {figures}"));
        }

        var intervals = new[] { comparison.Entities, comparison.Relationships }.OfType<DifferenceInterval>().ToList();
        if (comparison.Documents >= Math.Min(DocumentsThatKeepBack, policy.MinDocuments)
            && intervals.Exists(interval => interval.IsBelow(0)))
        {
            return (EvaluationVerdict.Worse, figures);
        }

        if (comparison.Documents < policy.MinDocuments)
        {
            return (EvaluationVerdict.NoEvidence, string.Create(
                CultureInfo.InvariantCulture,
                $"too few held-out documents to tell: {comparison.Documents} of {policy.MinDocuments}; {figures}"));
        }

        return (
            intervals.Exists(interval => interval.IsAbove(0)) ? EvaluationVerdict.Better : EvaluationVerdict.NoEvidence,
            figures is "" ? "nothing to find in the held-out chunks" : figures);
    }

    private static string? InWords(string what, DifferenceInterval? interval) => interval is null
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{what} {interval.Difference:+0.000;−0.000;0.000} ({interval.Low:+0.000;−0.000;0.000} to {interval.High:+0.000;−0.000;0.000})");
}
