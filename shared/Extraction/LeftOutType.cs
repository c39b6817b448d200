namespace FeedbackLoop.Extraction;

/// <summary>A type that stands in no prompt, or a part of what is said about one that does.</summary>
/// <param name="Kind"><see cref="ListedTypes.Entity"/> or <see cref="ListedTypes.Relationship"/>.</param>
/// <param name="Type">
/// Its name, with placeholders such as <c>[EMAIL]</c> for personal data, and cut when it is long.
/// </param>
/// <param name="Part">
/// <c>type</c>: all of it; <c>description</c>: it is shown with placeholders, cut, or not at all; <c>field</c>: one of
/// its fields.
/// </param>
/// <param name="Reason">One of <see cref="LeftOutReason"/>.</param>
public sealed record LeftOutType(string Kind, string Type, string Part, string Reason)
{
    public const string WholeType = "type";
    public const string Description = "description";
    public const string Field = "field";
}
