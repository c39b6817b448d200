using System.Text.Json;
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

        var objects = candidate.Verified.Select(o => NamedObject.Of(o)).ToList();
        var meaningful = objects.Where(o => IsMeaningful(o, criteria)).ToList();
        if (meaningful.Count == 0 && !candidate.IsEmpty)
        {
            return new Decision.Excluded(ExclusionReason.NoEntity);
        }

        if (criteria.Pii == PiiPolicy.Exclude
            && (scanner.ContainsAny(chunk.Text) || meaningful.Any(o => o.ContainsPii(scanner))
                || candidate.Relationships.Any(r => DescriptionOf(r) is { } text && scanner.ContainsAny(text))))
        {
            return new Decision.Excluded(ExclusionReason.Pii);
        }

        Func<string, string>? redact = criteria.Pii == PiiPolicy.Redact ? scanner.Redact : null;
        var example = Build(chunk.Text, meaningful, candidate.Relationships, redact);
        return new Decision.Accepted(
            example,
            new LeftOut(objects.Count - meaningful.Count, OutsideCount(meaningful, candidate.Relationships)));
    }

    /// <summary>Whether an object says enough to learn from.</summary>
    private static bool IsMeaningful(NamedObject o, ExportCriteria criteria) =>
        (!criteria.RequireName || o.Name.Length > 0) && o.Description.Length > criteria.DescriptionLongerThan;

    private static TrainingExample Build(
        string text, IReadOnlyList<NamedObject> objects, IReadOnlyList<ExtractedRelationship> relationships,
        Func<string, string>? redact)
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
                Rewrite(ordered[position[r.SourceId]].Name, redact),
                Rewrite(ordered[position[r.TargetId]].Name, redact),
                r.Type,
                DescriptionOf(r) is { } description ? Rewrite(description, redact) : null))
            .Distinct();

        return new(Rewrite(text, redact), [.. ordered.Select(o => o.ToEntity(redact))], [.. inside]);
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

    private static string Rewrite(string text, Func<string, string>? redact) => redact?.Invoke(text) ?? text;

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

        public bool ContainsPii(PiiScanner scanner)
        {
            if (scanner.ContainsAny(Name) || scanner.ContainsAny(Description)
                || (BusinessKey is not null && scanner.ContainsAny(BusinessKey)))
            {
                return true;
            }

            if (!HasFurther)
            {
                return false;
            }

            using var json = CanonicalJson.Parse(Json);
            return json.RootElement.EnumerateObject()
                .Where(m => IsFurther(m.Name))
                .SelectMany(m => CanonicalJson.Texts(m.Value))
                .Any(scanner.ContainsAny);
        }

        public ExampleEntity ToEntity(Func<string, string>? redact) => new(
            Type,
            Rewrite(Name, redact),
            Rewrite(Description, redact),
            BusinessKey is null ? null : Rewrite(BusinessKey, redact),
            HasFurther ? Further(redact) : NoProperties);

        private byte[] Further(Func<string, string>? redact)
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
                    CanonicalJson.Write(writer, member.Value, redact);
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
