namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>What a model finds in a document.</summary>
internal sealed record Extraction(
    IReadOnlyList<ExtractedEntity> Entities, IReadOnlyList<ExtractedRelationship> Relationships)
{
    public static Extraction Empty { get; } = new([], []);
}

/// <param name="Description">The sentence around the mention, when nobody says anything better.</param>
internal sealed record ExtractedEntity(string Type, string Name, string Description);

/// <param name="Source">Name of the entity that the relationship starts from.</param>
internal sealed record ExtractedRelationship(string Source, string Target, string Type);

/// <summary>The types that a prompt allows. An empty list allows every type.</summary>
internal sealed record PromptTypes(IReadOnlyList<TypeNote> Entities, IReadOnlyList<TypeNote> Relationships)
{
    public static PromptTypes Any { get; } = new([], []);
}

/// <param name="Description">What the prompt says about the type; may be empty.</param>
internal sealed record TypeNote(string Name, string Description);

/// <summary>A document and the answer that a person approved.</summary>
internal sealed record LearningExample(string Document, PromptTypes Types, Extraction Answer);
