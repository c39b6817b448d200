namespace FeedbackLoop.Knowledge;

/// <summary>What people, or the confidence, have decided about an extracted object.</summary>
public enum Verdict : short
{
    Verified = 1,
    Rejected = 2,
    Undecided = 3,
}

/// <summary>The current version of an extracted object, with the extraction that it came from.</summary>
/// <param name="JobId">Null for an object that no extraction made.</param>
/// <param name="ChunkId">Null when no chunk can be named for it.</param>
/// <param name="Key">The business key; null when it has none.</param>
/// <param name="Properties">UTF-8 JSON object; empty unless verified, because nothing else is read.</param>
public readonly record struct ExtractedObject(
    Guid? JobId, Guid? ChunkId, Guid CanonicalId, Verdict Verdict, string Type, string? Key,
    ReadOnlyMemory<byte> Properties);

/// <summary>The text that an extraction read.</summary>
/// <param name="Text">UTF-16; as stored, also when the chunk is deleted since.</param>
public readonly record struct SourceChunk(Guid JobId, Guid ChunkId, Guid DocumentId, Guid ProjectId, string Text);

/// <summary>A current relationship between two current objects, filed under its source's extraction.</summary>
/// <param name="Properties">UTF-8 JSON object.</param>
public readonly record struct ExtractedRelationship(
    Guid JobId, Guid ChunkId, Guid SourceId, Guid TargetId, string Type, ReadOnlyMemory<byte> Properties);

/// <summary>Which rows a reading of the knowledge base is about.</summary>
/// <param name="OrganizationId">The tenant; rows of another one never come out.</param>
/// <param name="ProjectId">One project, or null for all of the organization that are not deleted.</param>
/// <param name="MinConfidence">0 to 1; see <see cref="Runs.ExportCriteria.MinConfidence"/>.</param>
/// <param name="IncludeDeleted">Whether soft-deleted chunks are sources too: a verified object outlives its chunk.</param>
/// <param name="Seed">Decides the order of the extractions.</param>
public sealed record KnowledgeSelection(
    Guid OrganizationId, Guid? ProjectId, double MinConfidence, bool HumanReviewedOnly, bool IncludeDeleted, long Seed);
