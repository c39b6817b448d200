using System.Text;
using System.Text.RegularExpressions;
using FeedbackLoop.Testing;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>A curl command of a <c>console</c> block, and what the page shows of its answer.</summary>
internal sealed partial record CurlExample(string Command, string Output)
{
    public static IReadOnlyList<CurlExample> ReadAll(string page) =>
        [.. Block().Matches(page).Select(match => new CurlExample(match.Groups[1].Value, match.Groups[2].Value.TrimEnd('\n')))];

    /// <summary>The command as a request, with the values of its names filled in.</summary>
    public HttpRequestMessage ToRequest(IReadOnlyDictionary<string, string> values)
    {
        var words = Split(Command, values);
        var request = new HttpRequestMessage();
        var headers = new List<string>();
        var form = new List<string>();
        for (var i = 1; i < words.Count; i++)
        {
            switch (words[i])
            {
                case "-s":
                    break;
                case "-X":
                    request.Method = new HttpMethod(words[++i]);
                    break;
                case "-H":
                    headers.Add(words[++i]);
                    break;
                case "-d":
                    form.Add(words[++i]);
                    break;
                case var url when url.StartsWith("http", StringComparison.Ordinal):
                    request.RequestUri = new Uri(url);
                    break;
                case var other:
                    throw new FormatException($"the page's reader does not know curl's {other}");
            }
        }

        if (form.Count > 0)
        {
            request.Method = request.Method == HttpMethod.Get ? HttpMethod.Post : request.Method;
            var type = headers.Find(header => header.StartsWith("Content-Type:", StringComparison.Ordinal));
            request.Content = new StringContent(
                string.Join('&', form), Encoding.UTF8, type?.Split(": ")[1] ?? "application/x-www-form-urlencoded");
        }

        foreach (var header in headers.Where(header => !header.StartsWith("Content-Type:", StringComparison.Ordinal)))
        {
            request.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
        }

        return request;
    }

    /// <summary>Whether an answer is what the page shows; names that have no value yet get theirs.</summary>
    public bool TryMatch(string answer, Dictionary<string, string> values)
    {
        var seen = new HashSet<string>();
        var pattern = Varying().Replace(Output, match => match switch
        {
            { Groups: [_, { Success: true, Value: var name }, ..] } when values.TryGetValue(name, out var value) => Regex.Escape(value),
            { Groups: [_, { Success: true, Value: var name }, ..] } => seen.Add(name) ? $"(?<{name}>[A-Za-z0-9._-]+)" : $@"\k<{name}>",
            { Groups: [_, _, { Success: true }, ..] } => ".*?",
            _ => Regex.Escape(match.Value),
        });
        var found = Regex.Match(answer, $"^{pattern}", RegexOptions.Singleline, Patience.Limit);
        foreach (var name in found.Success ? seen : [])
        {
            values[name] = found.Groups[name].Value;
        }

        return found.Success;
    }

    // A shell's words: single quotes keep everything, double quotes and bare words fill in names.
    private static List<string> Split(string command, IReadOnlyDictionary<string, string> values)
    {
        var words = new List<string>();
        foreach (Match word in Word().Matches(command))
        {
            words.Add(Quoted().Replace(word.Value, part => part.Value switch
            {
                ['\'', .. var text, '\''] => text,
                ['"', .. var text, '"'] => Fill(text),
                var bare => Fill(bare),
            }));
        }

        return words;

        string Fill(string text) => Name().Replace(text, name => values[name.Groups[1].Value]);
    }

    [GeneratedRegex(@"^```console\n\$ (.+)\n((?:.*\n)+?)```$", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?:'[^']*'|""[^""]*""|[^\s'""])+")]
    private static partial Regex Word();

    [GeneratedRegex(@"'[^']*'|""[^""]*""|[^'""]+")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\$([A-Z]+)")]
    private static partial Regex Name();

    [GeneratedRegex(@"\$([A-Z]+)|(…)|(.|\n)")]
    private static partial Regex Varying();
}
