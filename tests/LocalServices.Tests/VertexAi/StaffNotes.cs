using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.Local.VertexAi.Learning;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>A small world with rules that can be learnt: who works where, on what, since when.</summary>
internal static class StaffNotes
{
    public const string System =
        """
        Extract entities and relationships.

        Entity types
        - employee: a person on the payroll
        - site: where people work
        - tool: what they work with

        Relationship types
        - works at: employee to site
        - uses: employee to tool
        """;

    private static readonly string[] First =
        ["Ada", "Bo", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo", "Kim", "Lea"];
    private static readonly string[] Last = ["Marsh", "North", "Oakley", "Price", "Quinn", "Reed", "Stone", "Troy"];
    private static readonly string[] Sites = ["Hall Seven", "Dock Nine", "Mill Lane", "Old Foundry", "East Yard"];
    private static readonly string[] Tools = ["lathe", "press", "drill", "welder", "crane", "saw"];

    /// <summary>The same seed gives the same notes.</summary>
    public static IReadOnlyList<(string Text, Learning.Extraction Answer)> Write(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Write(random))];
    }

    public static string User(string text) => $"Read this.\n\n<document>\n{text}\n</document>\n";

    public static string Line(string text, Learning.Extraction answer) => new JsonObject
    {
        ["systemInstruction"] = Turn("system", System),
        ["contents"] = new JsonArray(Turn("user", User(text)), Turn("model", ExtractionText.Write(answer))),
    }.ToJsonString();

    public static byte[] File(int count, int seed) => Encoding.UTF8.GetBytes(
        string.Concat(Write(count, seed).Select(note => Line(note.Text, note.Answer) + "\n")));

    private static JsonObject Turn(string role, string text) => new()
    {
        ["role"] = role,
        ["parts"] = new JsonArray(new JsonObject { ["text"] = text }),
    };

    private static (string Text, Learning.Extraction Answer) Write(Random random)
    {
        string Pick(string[] from) => from[random.Next(from.Length)];
        var person = $"{Pick(First)} {Pick(Last)}";
        var (site, tool) = (Pick(Sites), Pick(Tools));
        var text = random.Next(3) switch
        {
            0 => $"On Monday {person} came to {site} and fixed the {tool} there.",
            1 => $"The Board thanks {person}, who runs the {tool} in {site}, for the year.",
            _ => $"At {site} the {tool} belongs to {person}. Rain fell on Friday.",
        };
        var answer = new Learning.Extraction(
            [new("employee", person, text), new("site", site, text), new("tool", tool, text)],
            [new(person, site, "works at"), new(person, tool, "uses")]);
        return (text, answer);
    }
}
