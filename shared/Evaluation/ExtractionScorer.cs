using FeedbackLoop.Extraction;

namespace FeedbackLoop.Evaluation;

/// <param name="Type">Null where nobody says it; such an entity has no score of its own.</param>
public sealed record ScoredEntity(string? Type, string Name);

/// <param name="Source">Name of an entity.</param>
/// <param name="SourceType">Says which entity is meant where two have the name, else null; so does TargetType.</param>
public sealed record ScoredRelationship(
    string Source, string Type, string Target, string? SourceType = null, string? TargetType = null);

/// <summary>Entities and relationships, verified or answered.</summary>
public sealed record ScoredContent(
    IReadOnlyList<ScoredEntity> Entities, IReadOnlyList<ScoredRelationship> Relationships)
{
    public static ScoredContent Empty { get; } = new([], []);

    public static ScoredContent Of(AnsweredContent content) => new(
        [.. content.Entities.Select(each => new ScoredEntity(each.Type, each.Name))],
        [.. content.Relationships.Select(each => new ScoredRelationship(
            each.SourceName, each.Type, each.TargetName, each.SourceType, each.TargetType))]);
}

/// <summary>One chunk's counts.</summary>
/// <param name="DocumentId">Chunks of one document are drawn together when an interval is made.</param>
/// <param name="IsValid">Whether the answer could be read. One that could not has found nothing.</param>
/// <param name="ByType">Entities by folded type.</param>
/// <param name="Relationships">By names and type.</param>
/// <param name="TypedRelationships">By names and type, and by the types of both entities.</param>
/// <param name="Names">Different names in the answer.</param>
/// <param name="GroundedNames">Those of them that the text has.</param>
public sealed record ChunkScore(
    Guid DocumentId, bool IsValid, IReadOnlyDictionary<string, Counts> ByType, Counts Relationships,
    Counts TypedRelationships, int Names, int GroundedNames)
{
    public Counts Entities { get; } = ByType.Values.Aggregate(default(Counts), Counts.Add);

    /// <summary>Whether people verified that nothing is to be found: whatever is answered is invented.</summary>
    public bool IsEmptyText => Entities.Expected == 0;
}

/// <summary>Compares an answer with what people verified. See <c>docs/evaluation.md</c> for the definitions.</summary>
public static class ExtractionScorer
{
    /// <param name="text">Of the chunk.</param>
    /// <param name="answer">Null: it could not be read.</param>
    public static ChunkScore Score(Guid documentId, string text, ScoredContent expected, ScoredContent? answer)
    {
        var (wanted, found) = (new Sets(expected), new Sets(answer ?? ScoredContent.Empty));
        var byType = wanted.ByType.Keys
            .Union(found.ByType.Keys)
            .ToDictionary(type => type, type => Counts.Of(found.Of(type), wanted.Of(type)));
        var body = ComparedText.Name(text);
        return new(
            documentId, answer is not null, byType, Counts.Of(found.Relationships, wanted.Relationships),
            Counts.Of(found.TypedRelationships, wanted.TypedRelationships), found.Names.Count,
            found.Names.Count(name => ComparedText.Holds(body, name)));
    }

    /// <summary>The same content as sets of folded keys: what is said twice counts once.</summary>
    private sealed class Sets
    {
        private static readonly HashSet<string> None = [];

        public Sets(ScoredContent content)
        {
            foreach (var entity in content.Entities)
            {
                var name = ComparedText.Name(entity.Name);
                Names.Add(name);
                if (entity.Type is { } type)
                {
                    var folded = ComparedText.Type(type);
                    (ByType.TryGetValue(folded, out var names) ? names : ByType[folded] = []).Add(name);
                    (_types.TryGetValue(name, out var types) ? types : _types[name] = []).Add(folded);
                }
            }

            foreach (var each in content.Relationships)
            {
                var (source, type, target) =
                    (ComparedText.Name(each.Source), ComparedText.Type(each.Type), ComparedText.Name(each.Target));
                Relationships.Add((source, type, target));
                TypedRelationships.Add(
                    (TypesOf(source, each.SourceType), source, type, TypesOf(target, each.TargetType), target));
            }
        }

        public Dictionary<string, HashSet<string>> ByType { get; } = [];

        public HashSet<string> Names { get; } = [];

        public HashSet<(string Source, string Type, string Target)> Relationships { get; } = [];

        public HashSet<(string SourceType, string Source, string Type, string TargetType, string Target)>
            TypedRelationships
        { get; } = [];

        private readonly Dictionary<string, SortedSet<string>> _types = [];

        public HashSet<string> Of(string type) => ByType.GetValueOrDefault(type, None);

        // A name of two types stands for both where the relationship does not say which; that equals neither.
        private string TypesOf(string name, string? type) =>
            !string.IsNullOrWhiteSpace(type) ? ComparedText.Type(type)
            : _types.TryGetValue(name, out var types) ? string.Join('|', types)
            : "";
    }
}
