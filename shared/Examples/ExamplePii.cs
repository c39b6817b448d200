using System.Text.Json;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Examples;

/// <summary>
/// Personal data in a whole example: the text, and every name, value and member name of the answer. What
/// <see cref="IsIn"/> finds is what <see cref="Redact"/> replaces: both walk the same way.
/// </summary>
/// <remarks>
/// A value is read with the names of the members around it as context, and an entity's name and business key with its type.
/// The types themselves are clean before an example is made. The line that is written is looked at again, by
/// <see cref="LinePii"/>.
/// </remarks>
public static class ExamplePii
{
    public static bool IsIn(TrainingExample example, PiiScanner scanner)
    {
        if (scanner.ContainsAny(example.Text))
        {
            return true;
        }

        var finding = new Finding(scanner);
        ExampleWalk.Through(example, finding.Look);
        return finding.HasFound;
    }

    /// <summary>
    /// The example with numbered placeholders: the same value has the same number in the text and in the answer, and two values
    /// have two. Nothing is found in the result. An example without personal data is returned as it is.
    /// </summary>
    public static TrainingExample Redact(TrainingExample example, PiiScanner scanner) =>
        IsIn(example, scanner) ? new ExampleRedaction(scanner).Apply(example) : example;

    private sealed class Finding(PiiScanner scanner)
    {
        public bool HasFound { get; private set; }

        public void Look(ExamplePlace place) => HasFound = HasFound || place.Holds(scanner);
    }
}

/// <summary>A text of an example, or a number as it is written.</summary>
/// <param name="Label">What says what it is; null when nothing does.</param>
internal readonly record struct ExamplePlace(string Text, MemberLabel? Label, JsonValueKind Kind)
{
    private const int ShortestNumber = 7;
    private const int SocialSecurityDigits = 9;

    public bool IsNumber => Kind == JsonValueKind.Number;

    public bool Holds(PiiScanner scanner) => IsNumber ? Find(scanner).Count > 0 : scanner.ContainsAny(Text, Label);

    /// <summary>In a number the first match stands for all of it.</summary>
    public IReadOnlyList<PiiMatch> Find(PiiScanner scanner)
    {
        if (!IsNumber)
        {
            return scanner.Find(Text, Label);
        }

        // Spreadsheets write 2127365000.0, and drop the zero before a social security number.
        var digits = Text.AsSpan().TrimEnd('0') is [.. var whole, '.'] ? whole.ToString() : Text;
        if (digits.Length < ShortestNumber)
        {
            return [];
        }

        var matches = scanner.Find(digits, Label);
        if (matches.Count == 0 && digits.Length < SocialSecurityDigits && Label is not null)
        {
            matches = [.. scanner.Find(digits.PadLeft(SocialSecurityDigits, '0'), Label)
                .Where(match => match.Kind == PiiKind.UsSocialSecurityNumber)];
        }

        return matches.Count == 0 ? [] : [new PiiMatch(matches[0].Kind, 0, Text.Length)];
    }
}
