namespace FeedbackLoop.Pii;

/// <summary>What <see cref="PiiScanner.Redact"/> writes in place of a match, such as <c>[EMAIL]</c>.</summary>
internal static class Placeholders
{
    public static string For(PiiKind kind) => kind switch
    {
        PiiKind.Email => "[EMAIL]",
        PiiKind.UsSocialSecurityNumber => "[SSN]",
        PiiKind.Phone => "[PHONE]",
        PiiKind.PaymentCard => "[CARD]",
        PiiKind.Iban => "[IBAN]",
        PiiKind.IpAddress => "[IP]",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Whether the word at these offsets stands in the brackets of a placeholder.</summary>
    // Without this, the [CARD] of one number would be the context word of the number after it.
    public static bool IsWordOfOne(ReadOnlySpan<char> text, int start, int end) =>
        start > 0 && end < text.Length && text[start - 1] == '[' && text[end] == ']'
        && text[start..end] is "EMAIL" or "SSN" or "PHONE" or "CARD" or "IBAN" or "IP";
}
