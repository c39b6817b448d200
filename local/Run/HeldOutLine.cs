using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>A line of a validation file, which no model has learnt from.</summary>
/// <param name="Expected">Type and name of each entity that people verified.</param>
internal sealed record HeldOutLine(string System, string User, IReadOnlySet<(string Type, string Name)> Expected)
{
    /// <returns>The first line of the run's validation file; null when it has none.</returns>
    public static async Task<HeldOutLine?> ReadAsync(
        IDatasetStore store, NpgsqlDataSource database, RunId runId, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var run = await db.FindRunAsync(runId, cancellationToken);
        if (run?.DatasetId is not { } id || await db.FindDatasetAsync(id, cancellationToken) is not { ValidationUri: not null })
        {
            return null;
        }

        await using var content = await store.OpenReadAsync(run.DatasetFolder + "validation.jsonl", cancellationToken);
        using var lines = new StreamReader(content);
        using var line = JsonDocument.Parse(
            await lines.ReadLineAsync(cancellationToken) ?? throw new InvalidDataException("the validation file is empty"));
        return new(
            TextOf(line.RootElement.GetProperty("systemInstruction")),
            TextOf(line.RootElement.GetProperty("contents")[0]),
            Entities(TextOf(line.RootElement.GetProperty("contents")[1])));
    }

    /// <summary>The text of the chunk, out of the prompt around it.</summary>
    public string Text => User[(User.IndexOf("<document>\n", StringComparison.Ordinal) + "<document>\n".Length)..User.LastIndexOf("\n</document>", StringComparison.Ordinal)];

    public int CountFound(string answer) => Entities(answer).Intersect(Expected).Count();

    /// <summary>Type and name of each entity of an answer; none when it is not the JSON that was asked for.</summary>
    public static IReadOnlySet<(string Type, string Name)> Entities(string answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement.GetProperty("entities").EnumerateArray()
                .Select(e => (e.GetProperty("type").GetString()!, e.GetProperty("name").GetString()!))
                .ToHashSet();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new HashSet<(string, string)>();
        }
    }

    private static string TextOf(JsonElement turn) => turn.GetProperty("parts")[0].GetProperty("text").GetString()!;
}
