using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>Where a text names something.</summary>
/// <param name="Position">Of the first mention, in UTF-16 characters of the text; null when there is none.</param>
/// <param name="IsExact">Whether the text spells the name just so.</param>
/// <param name="IsWhole">Whether the name stands there as whole words: whether it is grounded.</param>
public readonly record struct Mention(int? Position, bool IsExact, bool IsWhole);

/// <summary>Looks for names in one text: as they are, and where they are not there, as they are compared.</summary>
public sealed class NamedText(string text)
{
    private readonly List<int> _origins = [];
    private string? _compared;

    /// <summary>
    /// Whole words before parts of words, and the text's own spelling before another: "Ada" is not in "Adaptation" where "ADA"
    /// stands behind it.
    /// </summary>
    public Mention Find(string name)
    {
        if (WholeWords.IndexOf(text, name) is >= 0 and var exact && (Ascii.IsValid(name) || IsGrounded(name, out _)))
        {
            return new(exact, IsExact: true, IsWhole: !IsBlank(name));
        }

        if (IsGrounded(name, out var place))
        {
            return new(place, IsExact: false, IsWhole: true);
        }

        var part = name.Length == 0 ? -1 : text.IndexOf(name, StringComparison.Ordinal);
        return new(part < 0 ? null : part, IsExact: part >= 0, IsWhole: false);
    }

    private bool IsGrounded(string name, out int place)
    {
        _compared ??= ComparedText.Name(text, _origins);
        var index = WholeWords.IndexOf(_compared, ComparedText.Name(name));
        place = index < 0 ? -1 : _origins[index];
        return index >= 0;
    }

    private static bool IsBlank(string name) => name.AsSpan().Trim(" \t\r\n_").IsEmpty;
}
