using FeedbackLoop.Runs;

namespace FeedbackLoop.AdminApi.Problems;

/// <summary>Checks that more than one route makes of a field.</summary>
internal static class FieldErrors
{
    private const int LongestText = 500;

    /// <summary>A text for people, such as a reason: not empty, bounded, without control characters.</summary>
    public static IReadOnlyList<FieldError> Text(string field, string value) =>
        value switch
        {
            _ when string.IsNullOrWhiteSpace(value) => [new(field, $"{field} must not be empty")],
            { Length: > LongestText } =>
                [new(field, $"{field} must have at most {LongestText} characters, and has {value.Length}")],
            _ when value.Any(c => char.IsControl(c) && c != '\n') || value.Any(char.IsSurrogate) && !IsWellFormed(value) =>
                [new(field, $"{field} must not hold control characters or half characters")],
            _ => [],
        };

    public static FieldError NotOneOf(string field, IEnumerable<string> values) =>
        new(field, $"{field} must be one of {string.Join(", ", values)}");

    private static bool IsWellFormed(string value) =>
        value.EnumerateRunes().Sum(rune => rune.Utf16SequenceLength) == value.Length
        && !value.EnumerateRunes().Contains(System.Text.Rune.ReplacementChar);
}
