using System.Buffers;
using System.Text.Json;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>Reads one line of the neutral shape. Not for several threads.</summary>
internal sealed class ImportLineParser(ImportOptions options) : IDisposable
{
    /// <summary>
    /// Longest type or business key, in UTF-16 code units: both are indexed together, and an index row has 2,704 bytes.
    /// </summary>
    public const int MaxIndexedLength = 300;

    private static readonly HashSet<string> Reviews = ["reviewed", "accepted", "pending", "rejected"];

    private readonly ContentHash _hash = new();

    /// <param name="isTerminated">False for the last line of an input that ends without a line break.</param>
    /// <returns>The line, or null and why not.</returns>
    public (ImportLine? Line, string? Problem) Parse(in ReadOnlySequence<byte> json, bool isTerminated)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            var position = $"not JSON, at byte {(e.BytePositionInLine ?? 0) + 1}";
            return (null, isTerminated ? position : $"{position}: the input ends in the middle of this line");
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return (null, "not a JSON object");
            }

            var members = new LineMembers();
            var line = Read(document.RootElement, members);
            var hash = _hash.Finish();
            return members.Problem is { } problem ? (null, problem) : (line with { ContentSha256 = hash }, null);
        }
    }

    public void Dispose() => _hash.Dispose();

    private ImportLine Read(JsonElement root, LineMembers members)
    {
        var project = Hashed(ComparedText.Spelling(members.Text(root, "", "project")));
        var documentId = Hashed(members.Text(root, "", "documentId"));
        var title = Hashed(members.OptionalText(root, "", "documentTitle") ?? documentId);
        var chunkId = Hashed(members.Text(root, "", "chunkId"));
        var text = Hashed(members.Text(root, "", "text"));
        if (text.Length > options.MaxTextLength)
        {
            members.Refuse($"text has {text.Length} characters, {options.MaxTextLength} are allowed");
        }

        var revision = members.OptionalNumber(root, "", "revision", odd: 0) ?? 1;
        _hash.Add(revision);
        if (revision < 1)
        {
            members.Refuse("revision must be a whole number from 1");
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var entities = ReadEntities(root, text, ids, members);
        var relationships = ReadRelationships(root, ids, members);
        var isAnnotated = members.OptionalFlag(root, "", "annotated") ?? options.IsAnnotated;
        var holdsNothing = isAnnotated && entities.Count == 0;
        if (holdsNothing)
        {
            // Only where it is imported: the hashes of all other lines stay what they were.
            _hash.Add("annotated");
        }

        return new(
            project, documentId, title, chunkId, revision, text, entities, relationships, holdsNothing, ContentSha256: "");
    }

    private List<ImportEntity> ReadEntities(JsonElement root, string text, HashSet<string> ids, LineMembers members)
    {
        var entities = new List<ImportEntity>();
        foreach (var element in members.Array(root, "entities", options.MaxEntities))
        {
            var path = $"entities[{entities.Count}]";
            if (element.ValueKind != JsonValueKind.Object)
            {
                members.Refuse($"{path} must be an object");
            }

            if (members.Problem is not null)
            {
                break;
            }

            var entity = ReadEntity(element, path + ".", text, members);
            if (members.Problem is null && !ids.Add(entity.Id))
            {
                members.Refuse($"{path}.id is used twice");
            }

            entities.Add(entity);
        }

        _hash.Add(entities.Count);
        return entities;
    }

    private ImportEntity ReadEntity(JsonElement element, string path, string text, LineMembers members)
    {
        var id = Hashed(members.Text(element, path, "id"));
        var name = Hashed(members.Text(element, path, "name"));
        var type = Hashed(Type(element, path, members));
        var key = members.OptionalText(element, path, "businessKey");
        _hash.Add(key is null ? null : Indexed(key, path + "businessKey", members));
        var description = members.OptionalText(element, path, "description");
        _hash.Add(description);

        // An offset that no text can have is outside of this one.
        var start = members.OptionalNumber(element, path, "start", odd: -1);
        var end = members.OptionalNumber(element, path, "end", odd: -1);
        _hash.Add(start ?? -1);
        _hash.Add(end ?? -1);

        var review = members.OptionalText(element, path, "review");
        _hash.Add(review);
        if (review is not null && !Reviews.Contains(review))
        {
            members.Refuse($"{path}review must be one of {string.Join(", ", Reviews)}");
        }

        var more = members.OptionalObject(element, path, "properties");
        if (more is { } properties)
        {
            EntityProperties.Check(properties, path + "properties", members);
        }

        if (members.Problem is not null)
        {
            return new(id, type, key, review, "{}");
        }

        _hash.Add(more is null ? null : EntityProperties.Write([], more));
        description ??= MentionSentence.Find(text, start, end);
        return new(id, type, key, review, EntityProperties.Write([("name", name), ("description", description)], more));
    }

    private List<ImportRelationship> ReadRelationships(JsonElement root, HashSet<string> ids, LineMembers members)
    {
        var relationships = new List<ImportRelationship>();
        var seen = new HashSet<(string, string, string)>();
        var index = 0;
        foreach (var element in members.Array(root, "relationships", int.MaxValue))
        {
            var path = $"relationships[{index++}]";
            if (element.ValueKind != JsonValueKind.Object)
            {
                members.Refuse($"{path} must be an object");
            }

            if (members.Problem is not null)
            {
                break;
            }

            var source = Hashed(Endpoint(element, path + ".", "source", ids, members));
            var target = Hashed(Endpoint(element, path + ".", "target", ids, members));
            var type = Hashed(Type(element, path + ".", members));
            var description = members.OptionalText(element, path + ".", "description");
            _hash.Add(description);

            // The graph has one relationship of a type between two objects; annotators name some of them twice.
            if (seen.Add((source, target, ComparedText.Type(type))))
            {
                relationships.Add(new(source, target, type, description));
            }
        }

        return relationships;
    }

    private static string Endpoint(
        JsonElement element, string path, string name, HashSet<string> ids, LineMembers members)
    {
        var id = members.Text(element, path, name);
        if (members.Problem is null && !ids.Contains(id))
        {
            members.Refuse($"{path}{name} is the id of no entity of this line");
        }

        return id;
    }

    private static string Type(JsonElement element, string path, LineMembers members) =>
        Indexed(ComparedText.Spelling(members.Text(element, path, "type")), path + "type", members);

    private static string Indexed(string value, string path, LineMembers members)
    {
        if (value.Length > MaxIndexedLength)
        {
            members.Refuse($"{path} has {value.Length} characters, {MaxIndexedLength} are allowed");
        }

        return value;
    }

    private string Hashed(string value)
    {
        _hash.Add(value);
        return value;
    }
}
