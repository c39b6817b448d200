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

    /// <param name="types">Of the candidate's project: what its prompt lists.</param>
    public static Decision Decide(
        Candidate candidate, ExportCriteria criteria, PiiScanner scanner, ExtractionTypes types)
    {
        if (candidate.Chunk is not { } chunk)
        {
            return new Decision.Excluded(ExclusionReason.NoSourceChunk);
        }

        if (chunk.IsForgotten)
        {
            return new Decision.Excluded(ExclusionReason.Forgotten);
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

        // The prompt says to use the listed types only, so nothing of another one may stand in an answer.
        var objects = candidate.Verified.Where(o => types.HasEntity(o.Type)).Select(o => NamedObject.Of(o)).ToList();
        var relationships = candidate.Relationships.Where(r => types.HasRelationship(r.Type)).ToList();
        var ofLeftOutTypes = candidate.Verified.Count - objects.Count + candidate.Relationships.Count - relationships.Count;
        var meaningful = objects.Where(o => IsMeaningful(o, criteria)).ToList();
        if (meaningful.Count == 0 && !candidate.IsEmpty)
        {
            return new Decision.Excluded(
                objects.Count < candidate.Verified.Count ? ExclusionReason.UnlistedType : ExclusionReason.NoEntity);
        }

        var (example, counts) = Build(chunk.Text, meaningful, relationships, types);
        if (criteria.Pii == PiiPolicy.Exclude && ExamplePii.IsIn(example, scanner))
        {
            return new Decision.Excluded(ExclusionReason.Pii);
        }

        if (criteria.Pii == PiiPolicy.Redact)
        {
            (example, counts) = Redact(example, counts, scanner);
        }

        return new Decision.Accepted(
            example,
            new LeftOut(objects.Count - meaningful.Count, OutsideCount(meaningful, relationships), ofLeftOutTypes, counts));
    }

    /// <summary>Whether an object says enough to learn from.</summary>
    private static bool IsMeaningful(NamedObject o, ExportCriteria criteria) =>
        (!criteria.RequireName || o.Name.Length > 0) && o.Description.Length > criteria.DescriptionLongerThan;

    private static (TrainingExample Example, AnswerCounts Counts) Build(
        string text, IReadOnlyList<NamedObject> objects, IReadOnlyList<ExtractedRelationship> relationships,
        ExtractionTypes types)
    {
        var ids = objects.Select(o => o.CanonicalId).ToHashSet();
        return ExampleAnswer.Of(
            text,
            [.. objects.Select(o => new AnswerEntity(o.CanonicalId, o.ToEntity(types.Entity(o.Type))))],
            relationships
                .Where(r => ids.Contains(r.SourceId) && ids.Contains(r.TargetId))
                .Select(r => new AnswerRelationship(
                    r.SourceId, r.TargetId, types.Relationship(r.Type), DescriptionOf(r))));
    }

    // Two spellings of one telephone number are two names before, and one placeholder after.
    private static (TrainingExample Example, AnswerCounts Counts) Redact(
        TrainingExample example, AnswerCounts counts, PiiScanner scanner)
    {
        var redacted = ExamplePii.Redact(example, scanner);
        if (ReferenceEquals(redacted, example))
        {
            return (example, counts);
        }

        var (merged, again) = ExampleAnswer.Of(redacted);
        return (merged, counts with { NotInText = 0 } + again);
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

        public ExampleEntity ToEntity(string type) =>
            new(type, Name, Description, BusinessKey, HasFurther ? Further() : NoProperties);

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
