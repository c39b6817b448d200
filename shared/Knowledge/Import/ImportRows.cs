namespace FeedbackLoop.Knowledge.Import;

internal sealed record DocumentRow(Guid Id, Guid ProjectId, string ExternalId, string FileName);

/// <param name="Revision">Highest of the document's chunks, deleted ones included.</param>
/// <param name="NextIndex">One more than the highest index of a live chunk.</param>
internal sealed record DocumentState(Guid DocumentId, int Revision, int NextIndex);

internal sealed record JobRow(Guid Id, Guid ProjectId, Guid DocumentId, Guid ChunkId, int Objects, int Relationships);

internal sealed record ObjectRow(
    Guid Id, Guid ProjectId, Guid JobId, Guid ChunkId, string Type, string? Key, string PropertiesJson,
    ObjectReview Review);

internal sealed record RelationshipRow(
    Guid Id, Guid ProjectId, string Type, Guid SourceId, Guid TargetId, string PropertiesJson);
