using System.Text;
using System.Text.Json;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Examples;

/// <summary>An entity that a chunk's answer is to name, its type spelled as the prompt spells it.</summary>
internal sealed record AnswerEntity(Guid Id, ExampleEntity Entity);

/// <param name="Source">Id of an entity; so is <paramref name="Target"/>.</param>
internal sealed record AnswerRelationship(Guid Source, Guid Target, string Type, string? Description);

/// <summary>
/// The one answer to a text: each entity once, in the order of the text, and relationships that can be resolved by what the
/// answer says of their ends. A pure function of what is verified.
/// </summary>
internal static class ExampleAnswer
{
    private static readonly byte[] NoProperties = "{}"u8.ToArray();

    /// <param name="text">As the prompt shows it.</param>
    /// <param name="relationships">Those of which both ends are among the entities.</param>
    public static (TrainingExample Example, AnswerCounts Counts) Of(
        string text, IReadOnlyList<AnswerEntity> entities, IEnumerable<AnswerRelationship> relationships)
    {
        var place = new NamedText(text);
        var ordered = entities
            .Select(each => new Placed(each, place.Find(each.Entity.Name)))
            .GroupBy(each => each.Key)
            .Select(Merged.Of)
            .Order()
            .ToList();
        var places = ordered.Index()
            .SelectMany(each => each.Item.Ids.Select(id => (id, each.Index)))
            .ToDictionary(each => each.id, each => each.Index);

        // Where one name stands for two things, a relationship has to say which of them it means.
        var shared = ordered.GroupBy(each => each.Key.Name).Where(same => same.Count() > 1).Select(same => same.Key).ToHashSet();
        var (all, toItself, ambiguous) = (0, 0, 0);
        var kept = new Dictionary<(int Source, int Target, string Type), ExampleRelationship>();
        foreach (var each in relationships)
        {
            all++;
            var (source, target) = (ordered[places[each.Source]], ordered[places[each.Target]]);
            if (source == target)
            {
                toItself++;
            }
            else if (source.Key.Name.Length == 0 || target.Key.Name.Length == 0)
            {
                ambiguous++;
            }
            else
            {
                var key = (places[each.Source], places[each.Target], each.Type);
                var known = kept.GetValueOrDefault(key)?.Description;
                kept[key] = new(
                    source.Entity.Name, target.Entity.Name, each.Type, Longer(known, each.Description),
                    shared.Contains(source.Key.Name) ? source.Entity.Type : null,
                    shared.Contains(target.Key.Name) ? target.Entity.Type : null);
            }
        }

        var inside = kept
            .OrderBy(each => each.Key.Source)
            .ThenBy(each => each.Key.Target)
            .ThenBy(each => each.Key.Type, StringComparer.Ordinal)
            .Select(each => each.Value);
        return (
            new(text, [.. ordered.Select(each => each.Entity)], [.. inside]),
            new(
                entities.Count - ordered.Count, all - toItself - ambiguous - kept.Count, toItself, ambiguous,
                ordered.Count(each => !each.IsInText)));
    }

    /// <summary>An answer whose names were rewritten: what has become equal is one, and what could mean two is left out.</summary>
    public static (TrainingExample Example, AnswerCounts Counts) Of(TrainingExample example)
    {
        // Within this answer the place of an entity is its id.
        var entities = example.Entities.Index()
            .Select(each => new AnswerEntity(new(each.Index, 0, 0, new byte[8]), each.Item))
            .ToList();
        var byName = entities.ToLookup(each => ComparedText.Name(each.Entity.Name));
        var relationships = example.Relationships
            .Select(each => (
                Source: End(each.SourceName, each.SourceType), Target: End(each.TargetName, each.TargetType), each.Type,
                each.Description))
            .ToList();
        var resolved = relationships
            .Where(each => each is { Source: not null, Target: not null })
            .Select(each => new AnswerRelationship(each.Source!.Value, each.Target!.Value, each.Type, each.Description)) // filtered
            .ToList();
        var (answer, counts) = Of(example.Text, entities, resolved);
        return (answer, counts with { Ambiguous = counts.Ambiguous + relationships.Count - resolved.Count });

        Guid? End(string name, string? type)
        {
            var same = byName[ComparedText.Name(name)]
                .Where(each => type is null || ComparedText.Type(each.Entity.Type) == ComparedText.Type(type))
                .ToList();
            return same.Select(each => ComparedText.Type(each.Entity.Type)).Distinct().Count() == 1 ? same[0].Id : null;
        }
    }

    // Of two that are as long, the order of the rows must not decide.
    private static string? Longer(string? one, string? other) =>
        one is null || other is null ? one ?? other
        : one.Length != other.Length ? (one.Length > other.Length ? one : other)
        : string.CompareOrdinal(one, other) <= 0 ? one : other;

    /// <summary>An entity with its place in the text, and what makes it equal to another one.</summary>
    private sealed record Placed(AnswerEntity Answer, Mention Mention)
    {
        // Two things without a name have nothing in common.
        public (string Type, string Name, Guid Id) Key { get; } = ComparedText.Name(Answer.Entity.Name) is { Length: > 0 } name
            ? (ComparedText.Type(Answer.Entity.Type), name, default)
            : (ComparedText.Type(Answer.Entity.Type), "", Answer.Id);
    }

    private sealed record Merged(
        (string Type, string Name, Guid Id) Key, ExampleEntity Entity, int Position, bool IsInText, IReadOnlyList<Guid> Ids)
        : IComparable<Merged>
    {
        public static Merged Of(IEnumerable<Placed> same)
        {
            // The text's own spelling goes before another one; the rest makes the order one.
            var all = same
                .OrderByDescending(each => each.Mention is { IsWhole: true, IsExact: true })
                .ThenBy(each => each.Mention.Position ?? int.MaxValue)
                .ThenBy(each => each.Answer.Entity.Name, StringComparer.Ordinal)
                .ThenBy(each => each.Answer.Entity.BusinessKey, StringComparer.Ordinal)
                .ThenBy(each => each.Answer.Entity.Description, StringComparer.Ordinal)
                .ThenBy(each => Encoding.UTF8.GetString(each.Answer.Entity.PropertiesJson.Span), StringComparer.Ordinal)
                .ToList();
            var first = all[0];
            return new(
                first.Key,
                all.Count == 1
                    ? first.Answer.Entity
                    : first.Answer.Entity with
                    {
                        Description = all.MaxBy(each => each.Answer.Entity.Description.Length)!.Answer.Entity.Description,
                        BusinessKey = all.Select(each => each.Answer.Entity.BusinessKey).FirstOrDefault(key => key is not null),
                        PropertiesJson = United([.. all.Select(each => each.Answer.Entity.PropertiesJson)]),
                    },
                all.Min(each => each.Mention.Position ?? int.MaxValue),
                all.Any(each => each.Mention.IsWhole),
                [.. all.Select(each => each.Answer.Id)]);
        }

        public int CompareTo(Merged? other) =>
            Position != other!.Position ? Position.CompareTo(other.Position) // of a list without nulls
            : Compare(each => each.Name, other) is not 0 and var name ? name
            : Compare(each => each.Type, other) is not 0 and var type ? type
            : Compare(each => each.BusinessKey, other) is not 0 and var key ? key
            : Compare(each => each.Description, other);

        private int Compare(Func<ExampleEntity, string?> part, Merged other) =>
            string.CompareOrdinal(part(Entity), part(other.Entity));

        private static ReadOnlyMemory<byte> United(IReadOnlyList<ReadOnlyMemory<byte>> objects)
        {
            var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var each in objects.Where(each => each.Length > NoProperties.Length))
            {
                using var json = CanonicalJson.Parse(each);
                foreach (var member in json.RootElement.EnumerateObject())
                {
                    members.TryAdd(member.Name, member.Value.Clone());
                }
            }

            return CanonicalJson.ToBytes(writer =>
            {
                writer.WriteStartObject();
                foreach (var (name, value) in members)
                {
                    writer.WritePropertyName(name);
                    CanonicalJson.Write(writer, value);
                }

                writer.WriteEndObject();
            });
        }
    }
}
