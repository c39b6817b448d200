using System.Text.Json;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Examples;

/// <summary>
/// Decides what becomes a training example: a pure function of a candidate and the criteria. What depends on other examples
/// (duplicates, full files) or on the written line (tokens) is decided by the export.
/// </summary>
public static class ExampleRules
{
    private static readonly byte[] NoProperties = "{}"u8.ToArray();

    /// <summary>What a candidate becomes.</summary>
    public abstract record Decision
    {
        private Decision()
        {
        }

        public sealed record Accepted(TrainingExample Example, LeftOut LeftOut) : Decision;

        /// <param name="Reason">One of <see cref="ExclusionReason"/>.</param>
        public sealed record Excluded(string Reason) : Decision;
    }

    public static Decision Decide(Candidate candidate, ExportCriteria criteria, PiiScanner scanner)
    {
        if (candidate.Chunk is not { } chunk)
        {
            return new Decision.Excluded(ExclusionReason.NoSourceChunk);
        }

        if (string.IsNullOrWhiteSpace(chunk.Text))
        {
            return new Decision.Excluded(ExclusionReason.EmptyText);
        }

        if (candidate.UndecidedCount > criteria.MaxUndecidedShare * candidate.ObjectCount)
        {
            return new Decision.Excluded(ExclusionReason.UndecidedObjects);
        }

        if (HasHalfPair(chunk.Text))
        {
            return new Decision.Excluded(ExclusionReason.InvalidText);
        }

        // Types with personal data in their names stand in no prompt, so nothing of them may stand in an answer.
        var objects = candidate.Verified.Where(o => CleanTypes.IsClean(o.Type)).Select(o => NamedObject.Of(o)).ToList();
        var relationships = candidate.Relationships.Where(r => CleanTypes.IsClean(r.Type)).ToList();
        var ofLeftOutTypes = candidate.Verified.Count - objects.Count + candidate.Relationships.Count - relationships.Count;
        var meaningful = objects.Where(o => IsMeaningful(o, criteria)).ToList();
        if (meaningful.Count == 0 && !candidate.IsEmpty)
        {
            return new Decision.Excluded(
                objects.Count < candidate.Verified.Count ? ExclusionReason.Pii : ExclusionReason.NoEntity);
        }

        var example = Build(chunk.Text, meaningful, relationships);
        if (criteria.Pii == PiiPolicy.Exclude && ExamplePii.IsIn(example, scanner))
        {
            return new Decision.Excluded(ExclusionReason.Pii);
        }

        return new Decision.Accepted(
            criteria.Pii == PiiPolicy.Redact ? ExamplePii.Redact(example, scanner) : example,
            new LeftOut(objects.Count - meaningful.Count, OutsideCount(meaningful, relationships), ofLeftOutTypes));
    }

    /// <summary>Whether an object says enough to learn from.</summary>
    private static bool IsMeaningful(NamedObject o, ExportCriteria criteria) =>
        (!criteria.RequireName || o.Name.Length > 0) && o.Description.Length > criteria.DescriptionLongerThan;

    private static TrainingExample Build(
        string text, IReadOnlyList<NamedObject> objects, IReadOnlyList<ExtractedRelationship> relationships)
    {
        // The order in which a reader meets them is the one that a model can learn; the rest makes it unique.
        var ordered = objects
            .Select(o => (Object: o, Position: text.IndexOf(o.Name, StringComparison.Ordinal)))
            .OrderBy(o => o.Position < 0 ? int.MaxValue : o.Position)
            .ThenBy(o => o.Object.Name, StringComparer.Ordinal)
            .ThenBy(o => o.Object.Type, StringComparer.Ordinal)
            .ThenBy(o => o.Object.BusinessKey, StringComparer.Ordinal)
            .ThenBy(o => o.Object.Description, StringComparer.Ordinal)
            .Select(o => o.Object)
            .ToList();

        var position = ordered.Index().ToDictionary(o => o.Item.CanonicalId, o => o.Index);
        var inside = relationships
            .Where(r => position.ContainsKey(r.SourceId) && position.ContainsKey(r.TargetId))
            .OrderBy(r => position[r.SourceId])
            .ThenBy(r => position[r.TargetId])
            .ThenBy(r => r.Type, StringComparer.Ordinal)
            .Select(r => new ExampleRelationship(
                ordered[position[r.SourceId]].Name, ordered[position[r.TargetId]].Name, r.Type, DescriptionOf(r)))
            .Distinct();

        return new(text, [.. ordered.Select(o => o.ToEntity())], [.. inside]);
    }

    private static int OutsideCount(
        IReadOnlyList<NamedObject> objects, IReadOnlyList<ExtractedRelationship> relationships)
    {
        var ids = objects.Select(o => o.CanonicalId).ToHashSet();
        return relationships.Count(r => !ids.Contains(r.SourceId) || !ids.Contains(r.TargetId));
    }

    private static string? DescriptionOf(ExtractedRelationship relationship)
    {
        if (relationship.Properties.Length <= NoProperties.Length)
        {
            return null;
        }

        using var json = CanonicalJson.Parse(relationship.Properties);
        return json.RootElement.TryGetProperty("description", out var text) && text.ValueKind == JsonValueKind.String
            && text.GetString() is { Length: > 0 } description
                ? description
                : null;
    }

    private static bool HasHalfPair(string text)
    {
        for (var i = text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff'); i >= 0 && i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A verified object with what its properties say; members that start with an underscore are the product's own.</summary>
    private sealed record NamedObject(
        Guid CanonicalId, string Type, string Name, string Description, string? BusinessKey,
        ReadOnlyMemory<byte> Json, bool HasFurther)
    {
        public static NamedObject Of(ExtractedObject o)
        {
            using var json = CanonicalJson.Parse(o.Properties);
            var (name, description, key, hasFurther) = ("", "", o.Key, false);
            foreach (var member in json.RootElement.EnumerateObject())
            {
                if (member.NameEquals("name"u8))
                {
                    name = TextOf(member.Value);
                }
                else if (member.NameEquals("description"u8))
                {
                    description = TextOf(member.Value);
                }
                else if (member.NameEquals("business_key"u8))
                {
                    // The key of an object that came when another one had it.
                    key ??= TextOf(member.Value) is { Length: > 0 } text ? text : null;
                }
                else
                {
                    hasFurther |= IsFurther(member.Name);
                }
            }

            return new(o.CanonicalId, o.Type, name, description, key, o.Properties, hasFurther);
        }

        public ExampleEntity ToEntity() =>
            new(Type, Name, Description, BusinessKey, HasFurther ? Further() : NoProperties);

        private byte[] Further()
        {
            using var json = CanonicalJson.Parse(Json);
            return CanonicalJson.ToBytes(writer =>
            {
                writer.WriteStartObject();
                foreach (var member in json.RootElement.EnumerateObject()
                    .Where(m => IsFurther(m.Name))
                    .OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    CanonicalJson.Write(writer, member.Value);
                }

                writer.WriteEndObject();
            });
        }

        private static bool IsFurther(string member) =>
            member is not ("name" or "description" or "business_key") && !member.StartsWith('_');

        private static string TextOf(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!.Trim(),
            JsonValueKind.Number => value.GetRawText(),
            _ => "",
        };
    }
}
