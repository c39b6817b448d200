using System.Globalization;
using System.Text.RegularExpressions;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Examples;

/// <summary>
/// The redaction of one example. Numbers go by the first appearance in the text, then in the answer, for each kind from 1 on;
/// a number that the example itself has in a placeholder is not given again.
/// </summary>
internal sealed class ExampleRedaction(PiiScanner scanner)
{
    // Shorter ones would be replaced where they mean something else.
    private const int ShortestRepeat = 6;

    private readonly Dictionary<(PiiKind Kind, string Value), string> _placeholders = [];
    private readonly Dictionary<string, string> _repeats = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _reserved = new(StringComparer.Ordinal);

    public TrainingExample Apply(TrainingExample example)
    {
        ExampleWalk.Rewrite(example, Reserve);

        // What is taken out may uncover something else, as in a text. Each round leaves fewer characters outside placeholders.
        while (ExamplePii.IsIn(example, scanner))
        {
            example = ExampleWalk.Rewrite(ExampleWalk.Rewrite(example, Replace), ReplaceRepeats);
        }

        var inOrder = new Dictionary<string, string>(StringComparer.Ordinal);
        _counts.Clear();
        example = ExampleWalk.Rewrite(example, place => Renumber(place, inOrder));
        return example with { Relationships = [.. example.Relationships.Distinct()] };
    }

    private string Reserve(ExamplePlace place)
    {
        foreach (Match match in Placeholders.Numbered().Matches(place.Text))
        {
            _reserved.Add(match.Value);
        }

        return place.Text;
    }

    private string Replace(ExamplePlace place)
    {
        var matches = place.Find(scanner);
        return matches.Count == 0
            ? place.Text
            : PiiScanner.Replace(place.Text, matches, match => PlaceholderOf(match.Kind, place, match));
    }

    private string PlaceholderOf(PiiKind kind, ExamplePlace place, PiiMatch match)
    {
        var spelling = place.IsNumber && place.Text.Contains('.', StringComparison.Ordinal)
            ? place.Text.TrimEnd('0').TrimEnd('.')
            : place.Text.Substring(match.Start, match.Length);
        var value = SameValue.Of(kind, spelling);
        if (place.IsNumber && kind == PiiKind.UsSocialSecurityNumber)
        {
            value = value.PadLeft(9, '0');
        }

        if (!_placeholders.TryGetValue((kind, value), out var placeholder))
        {
            placeholder = Next(kind);
            _placeholders.Add((kind, value), placeholder);
        }

        // What its label or its word gave away stands elsewhere without one: there it is the same number.
        Remember(spelling, placeholder);
        Remember(value, placeholder);
        return placeholder;
    }

    private string Next(PiiKind kind)
    {
        var word = Placeholders.For(kind);
        string placeholder;
        do
        {
            _counts[word] = _counts.GetValueOrDefault(word) + 1;
            placeholder = Placeholders.For(kind, _counts[word]);
        }
        while (_reserved.Contains(placeholder));

        return placeholder;
    }

    private void Remember(string spelling, string placeholder)
    {
        if (spelling.Length >= ShortestRepeat && spelling.Any(char.IsDigit))
        {
            _repeats.TryAdd(spelling, placeholder);
        }
    }

    private string ReplaceRepeats(ExamplePlace place)
    {
        if (place.IsNumber)
        {
            return _repeats.GetValueOrDefault(place.Text) ?? place.Text;
        }

        var text = place.Text;
        foreach (var (spelling, placeholder) in _repeats)
        {
            for (var at = text.IndexOf(spelling, StringComparison.Ordinal); at >= 0;)
            {
                if (Boundary.IsFree(text, at, at + spelling.Length))
                {
                    text = string.Concat(text.AsSpan(0, at), placeholder, text.AsSpan(at + spelling.Length));
                    at += placeholder.Length;
                }
                else
                {
                    at++;
                }

                at = text.IndexOf(spelling, at, StringComparison.Ordinal);
            }
        }

        return text;
    }

    private string Renumber(ExamplePlace place, Dictionary<string, string> inOrder) =>
        place.IsNumber || !place.Text.Contains('[', StringComparison.Ordinal)
            ? place.Text
            : Placeholders.Numbered().Replace(place.Text, match => _reserved.Contains(match.Value)
                ? match.Value
                : NumberInOrder(match, inOrder));

    private string NumberInOrder(Match match, Dictionary<string, string> inOrder)
    {
        if (!inOrder.TryGetValue(match.Value, out var number))
        {
            var word = match.Groups[1].Value;
            do
            {
                _counts[word] = _counts.GetValueOrDefault(word) + 1;
                number = string.Create(CultureInfo.InvariantCulture, $"[{word}_{_counts[word]}]");
            }
            while (_reserved.Contains(number));

            inOrder.Add(match.Value, number);
        }

        return number;
    }
}
