using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Evaluation;

// dotnet run -c Release --project bench/EvaluationBench -- FILE
//
// Scores recorded answers of other models: lines as `feedbackloop import` reads them, each with
// "predictions": {"MODEL": {"triples": [["source", "type", "target"], …]} | null}. Null is an answer that could not be read.
// Types are compared by their letters and digits alone, as the published scorer does it; the product's own is stricter.
if (args is not [var file])
{
    Console.Error.WriteLine("usage: EvaluationBench FILE");
    return 2;
}

var scores = new SortedDictionary<string, List<ChunkScore>>(StringComparer.Ordinal);
await foreach (var line in File.ReadLinesAsync(file))
{
    using var parsed = JsonDocument.Parse(line);
    var chunk = parsed.RootElement;
    if (!chunk.TryGetProperty("predictions", out var predictions))
    {
        continue;
    }

    var document = new Guid(
        SHA256.HashData(Encoding.UTF8.GetBytes(chunk.GetProperty("documentId").GetString()!)).AsSpan(0, 16));
    foreach (var prediction in predictions.EnumerateObject())
    {
        (scores.TryGetValue(prediction.Name, out var list) ? list : scores[prediction.Name] = []).Add(
            ExtractionScorer.Score(
                document, chunk.GetProperty("text").GetString()!, Verified(chunk), Answered(prediction.Value)));
    }
}

Console.WriteLine("| model | chunks | readable | correct | answered | verified | precision | recall | strict micro F1 | grounded |");
Console.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
foreach (var (model, list) in scores)
{
    var all = EvaluationScores.Of(list);
    var triples = all.Relationships;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"| {model} | {all.Chunks} | {all.ValidRate:0.000} | {triples.Correct} | {triples.Answered} | {triples.Expected} "
        + $"| {triples.Precision:0.000} | {triples.Recall:0.000} | {triples.F1:0.0000} | {all.GroundingRate:0.000} |"));
}

foreach (var (one, other) in scores.Keys.SelectMany(one => scores.Keys.Select(other => (one, other))))
{
    if (string.CompareOrdinal(one, other) <= 0
        || PairedBootstrap.Compare(scores[one], scores[other], chunk => chunk.Relationships, seed: 1, resamples: 10_000)
            is not { } difference)
    {
        continue;
    }

    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"\n{one} − {other}: {difference.Difference:+0.0000;−0.0000}, 95 % of {difference.Documents} documents' resamples from "
        + $"{difference.Low:+0.0000;−0.0000} to {difference.High:+0.0000;−0.0000}"));
}

return 0;

static ScoredContent Verified(JsonElement chunk)
{
    var names = chunk.GetProperty("entities").EnumerateArray()
        .ToDictionary(each => each.GetProperty("id").GetString()!, each => each);
    string Name(JsonElement relationship, string end) =>
        names[relationship.GetProperty(end).GetString()!].GetProperty("name").GetString()!;
    return new(
        [.. names.Values.Select(each =>
            new ScoredEntity(Loose(each.GetProperty("type").GetString()!), each.GetProperty("name").GetString()!))],
        [.. chunk.GetProperty("relationships").EnumerateArray().Select(each => new ScoredRelationship(
            Name(each, "source"), Loose(each.GetProperty("type").GetString()!), Name(each, "target")))]);
}

static string Loose(string type) => string.Concat(type.Where(char.IsLetterOrDigit)) is { Length: > 0 } loose ? loose : type;

// The names of a triple are entities whose types the model was not asked for.
static ScoredContent? Answered(JsonElement prediction)
{
    if (prediction.ValueKind == JsonValueKind.Null)
    {
        return null;
    }

    var triples = prediction.GetProperty("triples").EnumerateArray()
        .Select(triple => new ScoredRelationship(
            triple[0].GetString()!, Loose(triple[1].GetString()!), triple[2].GetString()!))
        .ToList();
    return new(
        [.. triples.SelectMany(triple => (string[])[triple.Source, triple.Target])
            .Select(name => new ScoredEntity(null, name))],
        triples);
}
