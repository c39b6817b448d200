using System.Text.Json.Nodes;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>A valid line to change for a test: two entities and one relationship.</summary>
internal static class SampleLine
{
    public const string Text =
        "Ledger Core keeps the balance of every account of the bank. It stores its journal in PostgreSQL 17.2 today.";

    public static JsonObject Create(string chunkId = "d1#0", string documentId = "d1", string project = "banking") => new()
    {
        ["project"] = project,
        ["documentId"] = documentId,
        ["documentTitle"] = $"Title of {documentId}",
        ["chunkId"] = chunkId,
        ["text"] = Text,
        ["entities"] = new JsonArray(
            new JsonObject
            {
                ["id"] = "e0",
                ["name"] = "Ledger Core",
                ["type"] = "System",
                ["start"] = 0,
                ["end"] = 11,
                ["businessKey"] = "SYS-1",
                ["properties"] = new JsonObject { ["lifecycle"] = "strategic", ["name"] = "ignored" },
            },
            new JsonObject
            {
                ["id"] = "e1",
                ["name"] = "PostgreSQL",
                ["type"] = "Technology",
                ["start"] = 86,
                ["end"] = 96,
                ["description"] = "Database of the journal.",
            }),
        ["relationships"] = new JsonArray(
            new JsonObject
            {
                ["source"] = "e0",
                ["target"] = "e1",
                ["type"] = "stored in",
                ["description"] = "The journal is stored there.",
            }),
    };

    public static JsonObject Entity(this JsonObject line, int index = 0) => line["entities"]![index]!.AsObject();

    public static JsonObject Relationship(this JsonObject line) => line["relationships"]![0]!.AsObject();
}
