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
    /// Characters that a type or a business key may have: both stand in indexes of the product, whose entries have at most 2,704
    /// bytes. A longer key is kept among the properties.
    /// </summary>
    public const int LongestKey = 500;

    public const string TypeTooLong = "type_too_long";
    public const string UnknownEntityType = "unknown_entity_type";
    public const string UnknownRelationshipType = "unknown_relationship_type";
    public const string RepeatedEntity = "repeated_entity";
    public const string RepeatedRelationship = "repeated_relationship";
    public const string RelationshipToNothing = "relationship_to_nothing";
    public const string LowConfidence = "low_confidence";

    // The product's own weights: 80 % for the name, 15 for the description, 5 for properties. A name that the text does not
    // have counts half, which no other part makes good.
    private const double NameWeight = 0.80;
    private const double UngroundedNameWeight = 0.40;
    private const double DescriptionWeight = 0.15;
    private const double PropertiesWeight = 0.05;

    /// <param name="types">Of the project. A kind without types takes any.</param>
    /// <param name="enabledTypes">Of the job; empty: all of the project's.</param>
    /// <param name="text">Of the chunk.</param>
    public static AcceptedExtraction Apply(
        AnsweredContent content, ExtractionTypes types, IReadOnlyCollection<string> enabledTypes, string text,
        ReviewThresholds thresholds)
    {
        var dropped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var allowed = Names(types.Entities);
        var body = ComparedText.Name(text);
        var entities = new List<AcceptedEntity>();
        var byName = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<(string Type, string Name)>();
        foreach (var entity in content.Entities)
        {
            var confidence = ConfidenceOf(entity, body);
            var name = ComparedText.Name(entity.Name);
            var reason = entity.Type.Length > LongestKey ? TypeTooLong
                : (allowed.Count > 0 && !allowed.Contains(entity.Type))
                    || (enabledTypes.Count > 0 && !enabledTypes.Contains(entity.Type)) ? UnknownEntityType
                : !seen.Add((entity.Type, name)) ? RepeatedEntity
                : confidence < thresholds.Min ? LowConfidence
                : null;
            if (reason is not null)
            {
                Count(reason);
                continue;
            }

            byName.TryAdd(name, entities.Count);
            entities.Add(new(entity, confidence, !(confidence >= thresholds.AutoAccept)));
        }

        var kinds = Names(types.Relationships);
        var relationships = new List<AcceptedRelationship>();
        var pairs = new HashSet<(int Source, int Target, string Type)>();
        foreach (var each in content.Relationships)
        {
            if (each.Type.Length > LongestKey)
            {
                Count(TypeTooLong);
            }
            else if (kinds.Count > 0 && !kinds.Contains(each.Type))
            {
                Count(UnknownRelationshipType);
            }
            else if (!byName.TryGetValue(ComparedText.Name(each.SourceName), out var source)
                || !byName.TryGetValue(ComparedText.Name(each.TargetName), out var target))
            {
                Count(RelationshipToNothing);
            }
            else if (!pairs.Add((source, target, each.Type)))
            {
                Count(RepeatedRelationship);
            }
            else
            {
                relationships.Add(new(source, target, each.Type, each.Description));
            }
        }

        return new(entities, relationships, dropped);

        void Count(string reason) => dropped[reason] = dropped.GetValueOrDefault(reason) + 1;
    }

    private static double ConfidenceOf(AnsweredEntity entity, string body) => Math.Round(
        (ComparedText.Holds(body, ComparedText.Name(entity.Name)) ? NameWeight : UngroundedNameWeight)
        + (string.IsNullOrWhiteSpace(entity.Description) ? 0 : DescriptionWeight)
        + (entity.PropertiesJson == "{}" && entity.BusinessKey is null ? 0 : PropertiesWeight),
        2);

    private static HashSet<string> Names(IEnumerable<ExtractionType> types) =>
        types.Select(type => type.Name).ToHashSet(StringComparer.Ordinal);
}
