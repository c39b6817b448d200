using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Evaluation;

/// <summary>A chunk that no tuning job was given, with the prompt for it and what people verified in it.</summary>
/// <param name="Position">Line of <c>test.jsonl</c>, from 0.</param>
/// <param name="ContentHash">Lower-case hex, as <see cref="ExampleOrigin.HashOf"/> makes it of text and verified answer.</param>
/// <param name="System">The system instruction, as the other examples of the dataset have it.</param>
/// <param name="User">The user's turn around <paramref name="Text"/>.</param>
/// <param name="PromptBytes">UTF-8 bytes of both.</param>
/// <param name="AnswerBytes">UTF-8 bytes of the verified answer.</param>
public sealed record HeldOutChunk(
    int Position, string ContentHash, Guid DocumentId, string System, string User, string Text, ScoredContent Expected, int PromptBytes,
    int AnswerBytes);

/// <summary>Reads a dataset's <c>test.jsonl</c>, one line at a time.</summary>
public static class HeldOutFile
{
    /// <param name="sha256">What the export recorded of the file, lower-case hex. It is compared after the last line.</param>
    /// <param name="documents">Of the lines, by the hex of their content hash: a line does not name its document.</param>
    /// <exception cref="InvalidDataException">The file, or a line, is none that the export wrote for this dataset.</exception>
    public static async IAsyncEnumerable<HeldOutChunk> ReadAsync(
        Stream content, string sha256, IReadOnlyDictionary<string, Guid> documents,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var hash = SHA256.Create();
        await using var hashed = new CryptoStream(content, hash, CryptoStreamMode.Read, leaveOpen: true);
        using var lines = new StreamReader(hashed);
        for (var position = 0; await lines.ReadLineAsync(cancellationToken) is { } line; position++)
        {
            yield return Read(position, line, documents);
        }

        var found = Convert.ToHexStringLower(hash.Hash!); // it is made when the last byte has been read
        if (found != sha256)
        {
            throw new InvalidDataException($"it has SHA-256 {found}, and the export wrote {sha256}");
        }
    }

    private static HeldOutChunk Read(int position, string line, IReadOnlyDictionary<string, Guid> documents)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var system = TextOf(json.RootElement.GetProperty("systemInstruction"));
            var user = TextOf(json.RootElement.GetProperty("contents")[0]);
            var answer = Encoding.UTF8.GetBytes(TextOf(json.RootElement.GetProperty("contents")[1]));
            var text = ExtractionPrompt.TextOf(user)
                ?? throw new InvalidDataException($"line {position} of the held-out file has another prompt");
            var hash = Convert.ToHexStringLower(ExampleOrigin.HashOf(text, answer));
            return documents.TryGetValue(hash, out var document)
                ? new(
                    position, hash, document, system, user, text, Expected(answer),
                    Encoding.UTF8.GetByteCount(system) + Encoding.UTF8.GetByteCount(user), answer.Length)
                : throw new InvalidDataException($"line {position} of the held-out file is of no document of the dataset");
        }
        catch (Exception e) when (
            e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            // Not the reader's words, which quote the line; nor is it told to whoever logs this.
            throw new InvalidDataException($"line {position} of the held-out file is no example ({e.GetType().Name})");
        }
    }

    // By members and not by the strict reader: what is verified is right also where a model may not write it so.
    private static ScoredContent Expected(byte[] answer)
    {
        using var json = JsonDocument.Parse(answer);
        return new(
            [
                .. json.RootElement.GetProperty("entities").EnumerateArray()
                    .Select(each => new ScoredEntity(Text(each, "type"), Text(each, "name"))),
            ],
            [
                .. json.RootElement.GetProperty("relationships").EnumerateArray()
                    .Select(each => new ScoredRelationship(
                        Text(each, "source_name"), Text(each, "type"), Text(each, "target_name"),
                        OptionalText(each, "source_type"), OptionalText(each, "target_type"))),
            ]);
    }

    private static string TextOf(JsonElement turn) => Text(turn.GetProperty("parts")[0], "text");

    private static string? OptionalText(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");
}
