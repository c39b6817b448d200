namespace FeedbackLoop.Extraction;

/// <summary>A type that a project extracts.</summary>
/// <param name="Description">Empty when the project says nothing about it.</param>
/// <param name="Fields">What an entity of this type may carry, such as <c>vendor (string, required)</c>.</param>
public sealed record ExtractionType(string Name, string Description, IReadOnlyList<string> Fields)
{
    /// <summary>In the one form, so that a prompt shows no other than the one that answers are compared with.</summary>
    public string Name { get; } = ComparedText.Spelling(Name);
}

/// <summary>The types of a project, each list ordered by name, and no two of a list equal but for their case.</summary>
public sealed class ExtractionTypes(IReadOnlyList<ExtractionType> entities, IReadOnlyList<ExtractionType> relationships)
{
    private readonly Spellings _entities = new(entities);
    private readonly Spellings _relationships = new(relationships);

    public IReadOnlyList<ExtractionType> Entities => entities;

    public IReadOnlyList<ExtractionType> Relationships => relationships;

    public static ExtractionTypes None { get; } = new([], []);

    /// <summary>Types of the registry that are not listed because they equal another one but for case or white space.</summary>
    public int Repeated { get; init; }

    /// <summary>What <see cref="CleanTypes"/> has taken away.</summary>
    public IReadOnlyList<LeftOutType> LeftOut { get; init; } = [];

    /// <summary>A type as the project spells it; one that it does not have in the one form of all types.</summary>
    public string Entity(string type) => _entities.Find(type) ?? ComparedText.Spelling(type);

    /// <summary>As <see cref="Entity"/>.</summary>
    public string Relationship(string type) => _relationships.Find(type) ?? ComparedText.Spelling(type);

    /// <summary>Whether an entity may be of this type. A project without types takes any.</summary>
    public bool HasEntity(string type) => entities.Count == 0 || _entities.Find(type) is not null;

    /// <summary>As <see cref="HasEntity"/>.</summary>
    public bool HasRelationship(string type) => relationships.Count == 0 || _relationships.Find(type) is not null;

    private sealed class Spellings
    {
        private readonly Dictionary<string, string> _exact = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _compared = new(StringComparer.Ordinal);

        public Spellings(IReadOnlyList<ExtractionType> types)
        {
            foreach (var type in types)
            {
                var first = _compared.TryAdd(ComparedText.Type(type.Name), type.Name)
                    ? type.Name
                    : _compared[ComparedText.Type(type.Name)];
                _exact.TryAdd(type.Name, first);
            }
        }

        // Nearly every type is spelled as the project spells it.
        public string? Find(string type) =>
            _exact.GetValueOrDefault(type) ?? _compared.GetValueOrDefault(ComparedText.Type(type));
    }
}
