namespace FeedbackLoop.Knowledge.Import;

/// <summary>One line: a chunk of a document with what was extracted from it.</summary>
/// <param name="Revision">1, or higher when the document was processed again: this chunk replaces earlier ones.</param>
/// <param name="HoldsNothing">Without entities, and declared as annotated: a person looked and found nothing.</param>
/// <param name="ContentSha256">Over every member that is imported; the rest of the line does not count.</param>
internal sealed record ImportLine(
    string Project,
    string DocumentId,
    string DocumentTitle,
    string ChunkId,
    int Revision,
    string Text,
    IReadOnlyList<ImportEntity> Entities,
    IReadOnlyList<ImportRelationship> Relationships,
    bool HoldsNothing,
    string ContentSha256);

/// <param name="Id">Unique within its line.</param>
/// <param name="Review"><c>reviewed</c>, <c>accepted</c>, <c>pending</c>, <c>rejected</c>, or null.</param>
/// <param name="PropertiesJson">An object with at least <c>name</c> and <c>description</c>.</param>
internal sealed record ImportEntity(string Id, string Type, string? BusinessKey, string? Review, string PropertiesJson);

/// <param name="Source">The id of an entity of the same line, like <paramref name="Target"/>.</param>
internal sealed record ImportRelationship(string Source, string Target, string Type, string? Description);
