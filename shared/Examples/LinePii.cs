using System.Text;
using System.Text.Json;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Examples;

/// <summary>
/// Personal data in a line as it goes into a file: the last word, whatever was looked at before. The line is read as
/// whoever is tuned on it reads it: the instruction, the request and the answer as texts, each with all its names and
/// values.
/// </summary>
/// <remarks>
/// Parts that say nothing by themselves may say it together: a word in one member, and the number that it names in the
/// next. One instruction stands in thousands of lines, and is looked at once. Not thread-safe.
/// </remarks>
public sealed class LinePii(PiiScanner scanner)
{
    private readonly HashSet<string> _cleanInstructions = new(StringComparer.Ordinal);

    /// <param name="line">What <see cref="ExampleWriter"/> wrote.</param>
    public bool IsIn(ReadOnlyMemory<byte> line)
    {
        using var json = CanonicalJson.Parse(line);
        var instruction = TextOf(json.RootElement.GetProperty("systemInstruction"));
        if (!_cleanInstructions.Contains(instruction))
        {
            if (scanner.ContainsAny(instruction))
            {
                return true;
            }

            _cleanInstructions.Add(instruction);
        }

        var turns = json.RootElement.GetProperty("contents");
        var answer = TextOf(turns[1]);
        return scanner.ContainsAny(TextOf(turns[0])) || scanner.ContainsAny(answer) || IsBehindEscapesOf(answer);
    }

    // The answer is JSON in a text: a line break in a number is two letters in it, and hides the number. Without a
    // backslash its parts stand in it as they are.
    private bool IsBehindEscapesOf(string answer)
    {
        if (!answer.Contains('\\'))
        {
            return false;
        }

        using var json = CanonicalJson.Parse(Encoding.UTF8.GetBytes(answer));
        var root = json.RootElement;
        var example = new TrainingExample(
            "",
            [.. root.GetProperty("entities").EnumerateArray().Select(each => new ExampleEntity(
                Text(each, "type")!, Text(each, "name")!, Text(each, "description")!, Text(each, "business_key"), // as written
                Encoding.UTF8.GetBytes(each.GetProperty("properties").GetRawText())))],
            [.. root.GetProperty("relationships").EnumerateArray().Select(each => new ExampleRelationship(
                Text(each, "source_name")!, Text(each, "target_name")!, Text(each, "type")!, Text(each, "description")))]);
        return ExamplePii.IsIn(example, scanner);
    }

    private static string TextOf(JsonElement turn) => Text(turn.GetProperty("parts")[0], "text")!; // as written

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;
}
