namespace FeedbackLoop.Knowledge.Import;

/// <summary>A line with the ids of what it becomes.</summary>
internal sealed record PlacedLine(
    long Number, ImportLine Line, ImportProject Project, Guid DocumentId, Guid ChunkId, Guid JobId)
{
    public Guid ProjectId => Project.Id;

    public static PlacedLine Create(long number, ImportLine line, ImportProject project)
    {
        // A later revision may use the external id of an earlier chunk again; it is another chunk.
        var document = NameBasedId.Create(project.Id, "document", line.DocumentId);
        var chunk = NameBasedId.Create(document, "chunk", line.ChunkId, $"{line.Revision}");
        return new(number, line, project, document, chunk, NameBasedId.Create(chunk, "job"));
    }

    public DocumentRow ToDocument() => new(DocumentId, ProjectId, Line.DocumentId, Line.DocumentTitle);

    public JobRow ToJob() => new(JobId, ProjectId, DocumentId, ChunkId, Line.Entities.Count, Line.Relationships.Count);

    /// <summary>Whom <c>ml.confirmed_empty</c> names for a line that holds nothing.</summary>
    public string ConfirmedBy(ImportOptions options) =>
        $"import:{new ReviewMixture(options, Line.ChunkId).Person.ExternalId}";

    public IEnumerable<ObjectRow> ToObjects(ImportOptions options)
    {
        var reviews = new ReviewMixture(options, Line.ChunkId);
        foreach (var entity in Line.Entities)
        {
            yield return new(
                ObjectId(entity.Id), ProjectId, JobId, ChunkId, Project.Types.Entity(entity.Type), entity.BusinessKey,
                entity.PropertiesJson, reviews.Next(entity.Review));
        }
    }

    public IEnumerable<RelationshipRow> ToRelationships()
    {
        foreach (var relationship in Line.Relationships)
        {
            var (source, target, type, description) = relationship;
            yield return new(
                NameBasedId.Create(ChunkId, "relationship", source, target, type), ProjectId,
                Project.Types.Relationship(type), ObjectId(source), ObjectId(target),
                description is null ? "{}" : EntityProperties.Write([("description", description)], more: null));
        }
    }

    private Guid ObjectId(string entityId) => NameBasedId.Create(ChunkId, "object", entityId);
}
