using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>A line of a dataset's file, as far as it says which example it is and what goes with it.</summary>
/// <param name="Key">
/// First eight bytes of <see cref="ExampleOrigin.ContentHash"/>, by which an export tells examples apart.
/// </param>
/// <param name="Characters">UTF-16 characters of the text.</param>
/// <param name="EntityTypes">One for each entity of the answer.</param>
/// <param name="RelationshipTypes">One for each relationship.</param>
internal sealed record StoredExample(
    ulong Key, int Characters, IReadOnlyList<string> EntityTypes, IReadOnlyList<string> RelationshipTypes)
{
    /// <returns>Null for a line that no export of this prompt wrote: nobody can tell whose it is.</returns>
    public static StoredExample? TryRead(ReadOnlySequence<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var turns = json.RootElement.GetProperty("contents");
            if (ExtractionPrompt.TextOf(TextOf(turns[0])) is not { } text)
            {
                return null;
            }

            var answer = Encoding.UTF8.GetBytes(TextOf(turns[1]));
            using var found = JsonDocument.Parse(answer);
            return new(
                KeyOf(ExampleOrigin.HashOf(text, answer)), text.Length, TypesOf(found, "entities"),
                TypesOf(found, "relationships"));
        }
        catch (Exception e) when (
            e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    public static ulong KeyOf(byte[] contentHash) => BinaryPrimitives.ReadUInt64BigEndian(contentHash);

    private static string TextOf(JsonElement turn) =>
        turn.GetProperty("parts")[0].GetProperty("text").GetString() ?? throw new JsonException("text is null");

    private static string[] TypesOf(JsonDocument answer, string name) =>
    [
        .. answer.RootElement.GetProperty(name).EnumerateArray()
            .Select(each => each.GetProperty("type").GetString() ?? throw new JsonException("type is null")),
    ];
}
