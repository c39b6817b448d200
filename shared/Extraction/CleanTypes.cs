using FeedbackLoop.Pii;

namespace FeedbackLoop.Extraction;

/// <summary>What of a type stands in no prompt, because personal data stands in it.</summary>
/// <param name="Kind"><c>entity</c> or <c>relationship</c>.</param>
/// <param name="Type">Its name, with placeholders such as <c>[EMAIL]</c> for the personal data.</param>
/// <param name="Part"><c>type</c>: all of it; <c>description</c>: shown with placeholders; <c>field</c>: one of its fields.</param>
public sealed record LeftOutType(string Kind, string Type, string Part)
{
    public const string WholeType = "type";
    public const string Description = "description";
    public const string Field = "field";
}

/// <summary>
/// The types of a project without personal data. A prompt is seen by everybody who may extract, and is the same in training and
/// in use, whatever an export does with personal data in texts: so this is decided by the types alone.
/// </summary>
public static class CleanTypes
{
    public const string Entity = "entity";
    public const string Relationship = "relationship";

    /// <summary>Whether a type of this name may stand in a prompt and in an answer.</summary>
    public static bool IsClean(string name) => !PiiScanner.Default.ContainsAny(name);

    public static ExtractionTypes Of(ExtractionTypes types)
    {
        var leftOut = new List<LeftOutType>();
        return new(
            [.. types.Entities.SelectMany(type => Clean(type, Entity, leftOut))],
            [.. types.Relationships.SelectMany(type => Clean(type, Relationship, leftOut))])
        {
            LeftOut = leftOut,
            Repeated = types.Repeated,
        };
    }

    private static IEnumerable<ExtractionType> Clean(ExtractionType type, string kind, List<LeftOutType> leftOut)
    {
        if (!IsClean(type.Name))
        {
            leftOut.Add(new(kind, PiiScanner.Default.Redact(type.Name), LeftOutType.WholeType));
            yield break;
        }

        var description = PiiScanner.Default.Redact(type.Description);
        if (description != type.Description)
        {
            leftOut.Add(new(kind, type.Name, LeftOutType.Description));
        }

        var fields = type.Fields.Where(field => !PiiScanner.Default.ContainsAny(field)).ToList();
        leftOut.AddRange(Enumerable.Repeat(new LeftOutType(kind, type.Name, LeftOutType.Field), type.Fields.Count - fields.Count));
        yield return new(type.Name, description, fields);
    }
}
