using System.Text.Json;

namespace FeedbackLoop.Extraction;

/// <summary>The product's thresholds of a job, of its project, or of the installation.</summary>
/// <param name="Min">Below it nothing is stored.</param>
/// <param name="AutoAccept">
/// From it on an object needs no person. Null: every object needs one, because a model that accepts its own answers would learn
/// from them.
/// </param>
public readonly record struct ReviewThresholds(double Min, double? AutoAccept)
{
    /// <summary>By the product's <c>extraction_config</c>; the first that says something about a threshold is asked.</summary>
    public static ReviewThresholds Of(params ReadOnlySpan<string?> configurations)
    {
        double? min = null, autoAccept = null;
        foreach (var json in configurations)
        {
            if (json is null)
            {
                continue;
            }

            using var configuration = JsonDocument.Parse(json);
            min ??= Read(configuration.RootElement, "min_threshold");
            autoAccept ??= Read(configuration.RootElement, "auto_accept_threshold");
        }

        return new(min ?? 0, autoAccept);
    }

    private static double? Read(JsonElement configuration, string name) =>
        configuration.ValueKind == JsonValueKind.Object
        && configuration.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;
}

/// <param name="Confidence">0 to 1.</param>
public sealed record AcceptedEntity(AnsweredEntity Entity, double Confidence, bool NeedsReview);

/// <param name="Source">Index of its entity among the accepted ones.</param>
public sealed record AcceptedRelationship(int Source, int Target, string Type, string? Description);

/// <param name="Dropped">What the answer had and the product does not get, by reason.</param>
public sealed record AcceptedExtraction(
    IReadOnlyList<AcceptedEntity> Entities, IReadOnlyList<AcceptedRelationship> Relationships,
    IReadOnlyDictionary<string, int> Dropped);

/// <summary>What of an answer the product gets. Decides and does nothing else.</summary>
public static class ExtractionRules
{
    /// <summary>
    /// Characters that a business key may have: it stands in indexes of the product, whose entries have at most 2,704
    /// bytes. A longer key is kept among the properties.
    /// </summary>
    public const int LongestKey = 500;

    /// <summary>
    /// A type that no prompt could list, where the project has none to choose from; see <see cref="TypeRule"/>.
    /// </summary>
    public const string RefusedType = "refused_type";

    /// <summary>A type that the prompt does not list.</summary>
    public const string UnknownEntityType = "unknown_entity_type";
    public const string UnknownRelationshipType = "unknown_relationship_type";
    public const string RepeatedEntity = "repeated_entity";
    public const string RepeatedRelationship = "repeated_relationship";
    public const string RelationshipToNothing = "relationship_to_nothing";
    public const string RelationshipToItself = "relationship_to_itself";

    /// <summary>Two entities of the answer have the name of an end, and no type says which one is meant.</summary>
    public const string AmbiguousRelationship = "ambiguous_relationship";
    public const string LowConfidence = "low_confidence";

    // The product's own weights: 80 % for the name, 15 for the description, 5 for properties. A name that the text does not
    // have counts half, which no other part makes good.
    private const double NameWeight = 0.80;
    private const double UngroundedNameWeight = 0.40;
    private const double DescriptionWeight = 0.15;
    private const double PropertiesWeight = 0.05;

    /// <param name="types">Of the project, whose spelling the product gets. A kind without types takes any.</param>
    /// <param name="enabledTypes">Of the job; empty: all of the project's.</param>
    /// <param name="text">Of the chunk.</param>
    public static AcceptedExtraction Apply(
        AnsweredContent content, ExtractionTypes types, IReadOnlyCollection<string> enabledTypes, string text,
        ReviewThresholds thresholds)
    {
        var dropped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var enabled = enabledTypes.Select(ComparedText.Type).ToHashSet(StringComparer.Ordinal);
        var body = ComparedText.Name(text);
        var entities = new List<AcceptedEntity>();
        var named = new NamedEntities();
        foreach (var answered in content.Entities)
        {
            var entity = answered with { Type = types.Entity(answered.Type) };
            var confidence = ConfidenceOf(entity, body);
            var reason = !named.TryAdd(entity, out var index) ? RepeatedEntity
                : !types.HasEntity(entity.Type) ? (types.Entities.Count == 0 ? RefusedType : UnknownEntityType)
                : enabled.Count > 0 && !enabled.Contains(ComparedText.Type(entity.Type)) ? UnknownEntityType
                : confidence < thresholds.Min ? LowConfidence
                : null;
            if (reason is not null)
            {
                Count(reason);
                continue;
            }

            index.Accepted = entities.Count;
            entities.Add(new(entity, confidence, !(confidence >= thresholds.AutoAccept)));
        }

        var relationships = new List<AcceptedRelationship>();
        var pairs = new HashSet<(int Source, int Target, string Type)>();
        foreach (var each in content.Relationships)
        {
            var type = types.Relationship(each.Type);
            var source = named.Find(each.SourceName, each.SourceType, types);
            var target = named.Find(each.TargetName, each.TargetType, types);
            var reason = !types.HasRelationship(type)
                    ? (types.Relationships.Count == 0 ? RefusedType : UnknownRelationshipType)
                : source.IsAmbiguous || target.IsAmbiguous ? AmbiguousRelationship
                : source.Index is null || target.Index is null ? RelationshipToNothing
                : source.Index == target.Index ? RelationshipToItself
                : !pairs.Add((source.Index.Value, target.Index.Value, type)) ? RepeatedRelationship
                : null;
            if (reason is not null)
            {
                Count(reason);
                continue;
            }

            relationships.Add(new(source.Index!.Value, target.Index!.Value, type, each.Description)); // or it has a reason
        }

        return new(entities, relationships, dropped);

        void Count(string reason) => dropped[reason] = dropped.GetValueOrDefault(reason) + 1;
    }

    private static double ConfidenceOf(AnsweredEntity entity, string body) => Math.Round(
        (ComparedText.Holds(body, ComparedText.Name(entity.Name)) ? NameWeight : UngroundedNameWeight)
        + (string.IsNullOrWhiteSpace(entity.Description) ? 0 : DescriptionWeight)
        + (entity.PropertiesJson == "{}" && entity.BusinessKey is null ? 0 : PropertiesWeight),
        2);

    /// <summary>
    /// The entities of an answer by name, those that are dropped among them: a name that stood for two before is not less
    /// ambiguous when one of them goes.
    /// </summary>
    private sealed class NamedEntities
    {
        private readonly Dictionary<string, List<(string Type, Place Place)>> _byName = new(StringComparer.Ordinal);

        /// <returns>False when the answer has an entity of this type and name.</returns>
        public bool TryAdd(AnsweredEntity entity, out Place place)
        {
            var (type, name) = (ComparedText.Type(entity.Type), ComparedText.Name(entity.Name));
            if (!_byName.TryGetValue(name, out var same))
            {
                _byName.Add(name, same = []);
            }

            place = new();
            if (same.Any(each => each.Type == type))
            {
                return false;
            }

            same.Add((type, place));
            return true;
        }

        public (int? Index, bool IsAmbiguous) Find(string name, string? type, ExtractionTypes types)
        {
            var same = _byName.GetValueOrDefault(ComparedText.Name(name)) ?? [];
            if (string.IsNullOrWhiteSpace(type))
            {
                return (same.Count == 1 ? same[0].Place.Accepted : null, same.Count > 1);
            }

            var compared = ComparedText.Type(types.Entity(type));
            return (same.FirstOrDefault(each => each.Type == compared).Place?.Accepted, false);
        }
    }

    private sealed class Place
    {
        /// <summary>Index among the accepted entities; null for one that is dropped.</summary>
        public int? Accepted { get; set; }
    }
}
