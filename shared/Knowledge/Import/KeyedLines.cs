using System.Text.Json;
using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>Decides which of the new objects gets its business key, as <see cref="BusinessKeys"/> says.</summary>
internal static class KeyedLines
{
    /// <summary>
    /// The lines with their keys as they can be stored. A key that another object has moves to the properties; where there is no
    /// room for it either, the line stays out and the report says why.
    /// </summary>
    public static async Task<List<PlacedLine>> AssignAsync(
        NpgsqlConnection db, List<PlacedLine> lines, ImportReport report, CancellationToken cancellationToken)
    {
        var keys = await BusinessKeys.ReadAsync(
            db, [.. lines.SelectMany(line => line.Line.Entities.Select(each => KeyOf(line, each)).OfType<BusinessKey>())],
            cancellationToken);
        var assigned = new List<PlacedLine>(lines.Count);
        foreach (var line in lines)
        {
            if (Assign(line, keys, report) is { } keyed)
            {
                assigned.Add(keyed);
            }
        }

        return assigned;
    }

    private static PlacedLine? Assign(PlacedLine line, BusinessKeys keys, ImportReport report)
    {
        var entities = new List<ImportEntity>(line.Line.Entities.Count);
        var taken = new List<BusinessKey>();
        foreach (var entity in line.Line.Entities)
        {
            if (KeyOf(line, entity) is not { } key)
            {
                entities.Add(entity);
            }
            else if (keys.Take(key))
            {
                taken.Add(key);
                entities.Add(entity);
            }
            else if (Move(entity, key.Key) is { } carrier)
            {
                entities.Add(carrier);
            }
            else
            {
                // What stays out takes nothing from the lines after it.
                taken.ForEach(keys.Release);
                report.AddBroken(
                    line.Number,
                    $"entities[{entities.Count}].businessKey '{key.Key}' belongs to another {key.Type} already, and properties."
                    + $"{BusinessKeys.Member}, where it would be kept, has another value");
                return null;
            }
        }

        return line with { Line = line.Line with { Entities = entities } };
    }

    private static BusinessKey? KeyOf(PlacedLine line, ImportEntity entity) =>
        entity.BusinessKey is { Length: > 0 } key ? new(line.ProjectId, line.Project.Types.Entity(entity.Type), key) : null;

    private static ImportEntity? Move(ImportEntity entity, string key)
    {
        using var properties = JsonDocument.Parse(entity.PropertiesJson);
        var isFree = !properties.RootElement.TryGetProperty(BusinessKeys.Member, out var value)
            || (value.ValueKind == JsonValueKind.String && value.GetString() == key);
        return isFree
            ? entity with
            {
                BusinessKey = null,
                PropertiesJson = EntityProperties.Write([(BusinessKeys.Member, key)], properties.RootElement),
            }
            : null;
    }
}
