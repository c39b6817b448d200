namespace FeedbackLoop.Extraction;

/// <summary>A type of a registry, or of verified data, before it is decided what of it a prompt shows.</summary>
/// <param name="Description">Empty when nobody has said anything about it.</param>
/// <param name="IsRegistered">False for one that is only in use.</param>
public sealed record TypeCandidate(
    string Name, string Description, IReadOnlyList<TypeField> Fields, bool IsRegistered, bool IsSchemaTooLong = false);

/// <summary>What an entity of a type may carry.</summary>
/// <param name="Kind">JSON's word, such as <c>string</c>; null when the schema does not say one.</param>
public sealed record TypeField(string Name, string? Kind, bool IsRequired)
{
    /// <summary>As a prompt shows it: <c>vendor (string, required)</c>.</summary>
    public override string ToString() => (Kind, IsRequired) switch
    {
        (null, false) => Name,
        (null, true) => $"{Name} (required)",
        (_, false) => $"{Name} ({Kind})",
        (_, true) => $"{Name} ({Kind}, required)",
    };
}

/// <summary>Those of one kind, in the order in which a prompt takes them.</summary>
/// <param name="Total">How many there are; more than are given, when there are too many to look at.</param>
public sealed record TypeCandidates(IReadOnlyList<TypeCandidate> Types, long Total)
{
    public static TypeCandidates None { get; } = new([], 0);
}
