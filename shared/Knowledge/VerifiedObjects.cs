namespace FeedbackLoop.Knowledge;

/// <summary>What has been decided about an extracted object; <c>docs/verified-data.md</c> has the rule.</summary>
public enum Verdict : short
{
    Verified = 1,
    Rejected = 2,
    Undecided = 3,

    /// <summary>Its last version is deleted: it counts for nothing, and hides that its text is empty.</summary>
    Deleted = 4,

    /// <summary>No object: a person has confirmed that the extraction's text holds nothing.</summary>
    Confirmation = 5,
}

/// <summary>The current version of an extracted object, with the extraction that it came from.</summary>
/// <param name="JobId">Null for an object that no extraction made.</param>
/// <param name="ChunkId">Null when no chunk can be named for it.</param>
/// <param name="Key">The business key; null when it has none.</param>
/// <param name="Properties">UTF-8 JSON object; empty unless verified, because nothing else is read.</param>
/// <param name="IsRefused">A person has rejected it, whether it was deleted afterwards or not.</param>
/// <param name="IsSourced">The extraction is completed and names the chunk itself.</param>
public readonly record struct ExtractedObject(
    Guid? JobId, Guid? ChunkId, Guid CanonicalId, Verdict Verdict, string Type, string? Key,
    ReadOnlyMemory<byte> Properties, bool IsRefused = false, bool IsSourced = false);

/// <summary>The text that an extraction read.</summary>
/// <param name="Text">UTF-16; as stored, also when the chunk is deleted since.</param>
/// <param name="Contributor">
/// The person whose decision the extraction is; null where nobody can be named, or the selection does not ask.
/// </param>
/// <param name="IsForgotten">An operator had its document forgotten: it is never exported again.</param>
public readonly record struct SourceChunk(
    Guid JobId, Guid ChunkId, Guid DocumentId, Guid ProjectId, string Text, string? Contributor = null,
    bool IsForgotten = false);

/// <summary>What a document's extractions hold, before their texts are looked at.</summary>
/// <param name="Jobs">Extractions in which something is verified and enough is decided.</param>
/// <param name="Contributors">Of these, in the same order; see <see cref="SourceChunk.Contributor"/>.</param>
/// <param name="EmptyJobs">Extractions whose text is verified to hold nothing.</param>
/// <param name="EmptyContributors">Of these, in the same order.</param>
/// <param name="ContradictedJobs">Those that would be, if another extraction of the same text had found nothing.</param>
public readonly record struct DocumentContents(
    Guid DocumentId, Guid[] Jobs, string?[] Contributors, Guid[] EmptyJobs, string?[] EmptyContributors,
    Guid[] ContradictedJobs);

/// <summary>A current relationship between two current objects, filed under its source's extraction.</summary>
/// <param name="Properties">UTF-8 JSON object.</param>
public readonly record struct ExtractedRelationship(
    Guid JobId, Guid ChunkId, Guid SourceId, Guid TargetId, string Type, ReadOnlyMemory<byte> Properties);

/// <summary>From when on an object counts as verified.</summary>
/// <param name="MinConfidence">0 to 1; see <see cref="Runs.ExportCriteria.MinConfidence"/>.</param>
/// <param name="HumanReviewedOnly">What the product has accepted without a person does not count.</param>
/// <param name="CountOwnAcceptances">What one of our own tuned models found, and the product accepted, counts.</param>
/// <param name="AcceptedStatuses">See <see cref="VerificationOptions"/>.</param>
public sealed record VerificationRule(
    double MinConfidence, bool HumanReviewedOnly, bool CountOwnAcceptances, IReadOnlyList<string> AcceptedStatuses)
{
    /// <summary>
    /// By which types are in use. It is the same for every export, and for extractions, which have no options: a model
    /// is worth as much as the prompt of its use resembles that of its training.
    /// </summary>
    public static VerificationRule OfPrompts(VerificationOptions options) => Of(new Runs.ExportCriteria(), options);

    public static VerificationRule Of(Runs.ExportCriteria criteria, VerificationOptions options) => new(
        criteria.MinConfidence, criteria.HumanReviewedOnly, criteria.CountOwnAcceptances, options.Statuses);
}

/// <summary>Which rows a reading of the knowledge base is about.</summary>
/// <param name="OrganizationId">The tenant; rows of another one never come out.</param>
/// <param name="ProjectId">One project, or null for all of the organization that are not deleted.</param>
/// <param name="IncludeDeleted">Whether soft-deleted chunks are sources too: a verified object outlives its chunk.</param>
/// <param name="Seed">Decides the order of the extractions.</param>
/// <param name="IsAttributed">Whether each extraction comes with the person whose decision it is.</param>
public sealed record KnowledgeSelection(
    Guid OrganizationId, Guid? ProjectId, VerificationRule Rule, bool IncludeDeleted, long Seed, bool IsAttributed = false);
