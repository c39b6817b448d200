using System.Globalization;

namespace FeedbackLoop.Knowledge;

/// <summary>What decides whether a person may say that an extraction's text holds nothing.</summary>
/// <param name="Status">As the product has it.</param>
/// <param name="HasChunk">Whether the extraction names one text of its project, deleted or not.</param>
/// <param name="OpenObjects">Its current objects that nobody rejected.</param>
public sealed record ConfirmedEmptyFacts(string Status, bool HasChunk, long OpenObjects);

/// <summary>Whether "nothing is to be found here" may be recorded.</summary>
public static class ConfirmedEmptyRule
{
    /// <returns>Why not, as a sentence; null when it may.</returns>
    public static string? Check(ConfirmedEmptyFacts facts) => facts switch
    {
        { Status: not ("completed" or "requires_review") } =>
            $"The extraction is {facts.Status}: it must be completed before a person can say that it missed nothing.",
        { OpenObjects: > 0 } => string.Create(
            CultureInfo.InvariantCulture,
            $"The extraction has {facts.OpenObjects:N0} {(facts.OpenObjects == 1 ? "object that is" : "objects that are")} "
            + $"not rejected. Reject what is wrong; a text with anything right in it is not empty."),
        { HasChunk: false } =>
            "The extraction names no chunk of its project, or a document with several: which text is meant is not known.",
        _ => null,
    };
}
