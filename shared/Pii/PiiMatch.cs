namespace FeedbackLoop.Pii;

/// <summary>What kind of personal data a piece of text is.</summary>
public enum PiiKind
{
    Email,

    /// <summary>A US social security number, or the taxpayer number (ITIN) that stands in for one.</summary>
    UsSocialSecurityNumber,

    Phone,

    PaymentCard,

    Iban,

    /// <summary>IPv4 or IPv6.</summary>
    IpAddress,

    /// <summary>The password in a URL.</summary>
    Secret,
}

/// <summary>One piece of personal data in a text.</summary>
/// <param name="Start">UTF-16 offset of the first character.</param>
/// <param name="Length">UTF-16 characters, at least 1; never splits a surrogate pair.</param>
public readonly record struct PiiMatch(PiiKind Kind, int Start, int Length)
{
    /// <summary>UTF-16 offset after the last character.</summary>
    public int End => Start + Length;
}
