using System.Text.RegularExpressions;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>
/// The base model's place: an extractor that has seen no data of anybody. It takes names with capitals, dates and
/// numbers, and guesses their types from what the prompt says about the types.
/// </summary>
internal static partial class BaseExtractor
{
    public static Extraction Extract(string document, PromptTypes types)
    {
        if (types.Entities.Count == 0)
        {
            return Extraction.Empty;
        }

        var date = Find(types, "date", "time", "year", "period");
        var number = Find(types, "number", "num", "quantity", "amount", "value", "count");
        var organization = Find(types, "org", "organization", "organisation", "company", "institution", "club");
        var person = Find(types, "per", "person", "human", "people", "author", "artist");
        var place = Find(types, "loc", "location", "place", "country", "city", "region", "geographic");
        var other = Find(types, "misc", "thing", "concept", "entity", "term") ?? types.Entities[0].Name;

        var tokens = new TextTokens(document);
        var entities = new Dictionary<string, ExtractedEntity>();
        for (var i = 0; i < tokens.Count; i++)
        {
            var last = EndOfPhrase(tokens, i);
            if (last < i)
            {
                continue;
            }

            var name = tokens.Span(i, last);
            var type = DatePattern().IsMatch(name) ? date ?? number
                : NumberPattern().IsMatch(name) ? number
                : OrganizationPattern().IsMatch(name) ? organization ?? other
                : i > 0 && tokens.Words[i - 1] is "in" or "at" or "from" or "near" ? place ?? other
                : last == i + 1 ? person ?? other
                : other;
            if (type is not null)
            {
                entities.TryAdd(name, new ExtractedEntity(type, name, tokens.SentenceAround(i)));
            }

            i = last;
        }

        return new Extraction([.. entities.Values], []);
    }

    /// <returns>
    /// The last token of the name, date or number that begins here; less than the first when none does.
    /// </returns>
    private static int EndOfPhrase(TextTokens tokens, int first)
    {
        var word = tokens.Words[first];
        if (char.IsDigit(word[0]))
        {
            // "13 March 1963"
            return first + 2 < tokens.Count && DatePattern().IsMatch(tokens.Span(first, first + 2)) ? first + 2 : first;
        }

        // One capital at the start of a sentence says nothing.
        var isName = char.IsUpper(word[0]) && word.Length > 1;
        var last = first;
        while (isName && last + 1 < tokens.Count && char.IsUpper(tokens.Words[last + 1][0])
            && tokens.Sentences[last + 1] == tokens.Sentences[first])
        {
            last++;
        }

        return isName && (last > first || !tokens.StartsSentence(first)) ? last : first - 1;
    }

    private static string? Find(PromptTypes types, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            var pattern = new Regex($@"\b{word}s?\b", RegexOptions.IgnoreCase);
            var match = types.Entities.FirstOrDefault(type => pattern.IsMatch(type.Name.Replace('_', ' ')))
                ?? types.Entities.FirstOrDefault(type => pattern.IsMatch(type.Description));
            if (match is not null)
            {
                return match.Name;
            }
        }

        return null;
    }

    [GeneratedRegex(
        "^(1[0-9]{3}|20[0-9]{2})$|^[0-9]{1,2} (January|February|March|April|May|June|July|August|September|October"
        + "|November|December) [0-9]{4}$")]
    private static partial Regex DatePattern();

    [GeneratedRegex(@"^[0-9][0-9.,]*$")]
    private static partial Regex NumberPattern();

    [GeneratedRegex(
        @"\b(University|Company|Inc|Ltd|Corporation|Institute|Club|Association|Party|Records|Army|Council)\b")]
    private static partial Regex OrganizationPattern();
}
