namespace FeedbackLoop.Pii.Tests;

/// <summary>A text with at most one piece of personal data in it.</summary>
/// <param name="Kind"><see langword="null"/>: the text holds none.</param>
/// <param name="Start">UTF-16 offset of the first character.</param>
internal sealed record Sample(string Text, PiiKind? Kind, int Start, int Length)
{
    public static Sample Negative(string text) => new(text, null, 0, 0);

    /// <param name="template">A text with <c>{0}</c> where the value goes.</param>
    public static Sample Positive(PiiKind kind, string template, string value)
    {
        var at = template.IndexOf("{0}", StringComparison.Ordinal);
        return new Sample(template.Replace("{0}", value, StringComparison.Ordinal), kind, at, value.Length);
    }

    public override string ToString() =>
        Kind is null ? Text : $"{Text[..Start]}«{Text.Substring(Start, Length)}»{Text[(Start + Length)..]}";
}
