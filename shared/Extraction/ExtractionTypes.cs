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

    /// <summary>
    /// What <see cref="ListedTypes"/> has taken away: the first <see cref="PromptLimits.MostNamed"/> parts.
    /// </summary>
    public IReadOnlyList<LeftOutType> LeftOut { get; init; } = [];

    /// <summary>Types that are not listed at all, named among <see cref="LeftOut"/> or not.</summary>
    public long UnlistedTypes { get; init; }

    /// <summary>Listed types whose description or fields are not shown as they are.</summary>
    public int ShortenedTypes { get; init; }

    /// <summary>A type as the project spells it; one that it does not have in the one form of all types.</summary>
    public string Entity(string type) => _entities.Find(type) ?? ComparedText.Spelling(type);

    /// <summary>As <see cref="Entity"/>.</summary>
    public string Relationship(string type) => _relationships.Find(type) ?? ComparedText.Spelling(type);

    /// <summary>
    /// Whether an entity may be of this type: it is listed. A project without types takes any that could be listed.
    /// </summary>
    public bool HasEntity(string type) => _entities.Has(type);

    /// <summary>As <see cref="HasEntity"/>.</summary>
    public bool HasRelationship(string type) => _relationships.Has(type);

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

        public bool Has(string type) =>
            _exact.Count == 0 ? TypeRule.Refuse(ComparedText.Spelling(type)) is null : Find(type) is not null;

        // Nearly every type is spelled as the project spells it.
        public string? Find(string type) =>
            _exact.GetValueOrDefault(type) ?? _compared.GetValueOrDefault(ComparedText.Type(type));
    }
}
