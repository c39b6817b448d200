using System.Text.Json;
using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>Reads the entity and relationship types of projects: from their schema registry, else those in use.</summary>
public static class TypeQueries
{
    private sealed record TypeRow(Guid ProjectId, string Kind, string Name, string? Description, string? SchemaJson);

    /// <summary>The types of each project; one without a registry entry of a kind gets the types in use of that kind.</summary>
    public static async Task<IReadOnlyDictionary<Guid, ExtractionTypes>> ListTypesAsync(
        this NpgsqlConnection db, IReadOnlyCollection<Guid> projects, CancellationToken cancellationToken)
    {
        var args = new { projects = projects.ToArray() };
        var registered = await db.QueryAsync<TypeRow>(Sql.Command(
            await RegistryStatementAsync(db, cancellationToken), args, cancellationToken));
        var inUse = await db.QueryAsync<TypeRow>(Sql.Command(InUse, args, cancellationToken));
        var types = registered.Concat(inUse.Select(r => r with { Kind = r.Kind + " in use" }))
            .ToLookup(r => (r.ProjectId, r.Kind));

        return projects.ToDictionary(
            p => p,
            p => new ExtractionTypes(TypesOf(types, p, "entity"), TypesOf(types, p, "relationship")));
    }

    // The product renamed these tables: template packs became schemas. Both generations of installations exist.
    private static async Task<string> RegistryStatementAsync(NpgsqlConnection db, CancellationToken cancellationToken)
    {
        var isRenamed = await db.ExecuteScalarAsync<bool>(Sql.Command(
            "select to_regclass('kb.project_object_schema_registry') is not null", null, cancellationToken));
        var (registry, installed, pack, packId) = isRenamed
            ? ("kb.project_object_schema_registry", "kb.project_schemas", "kb.graph_schemas", "schema_id")
            : ("kb.project_object_type_registry", "kb.project_template_packs", "kb.graph_template_packs",
                "template_pack_id");

        return
            $"""
            select project_id, 'entity' as kind, type_name as name, description, json_schema::text as schema_json
            from   {registry}
            where  project_id = any(@projects)
            and    enabled
            union  all
            select i.project_id, 'relationship', t.key, t.value->>'description', t.value::text
            from   {installed} i
            join   {pack} p on p.id = i.{packId}
            cross  join lateral jsonb_each(
                       case when jsonb_typeof(p.relationship_type_schemas) = 'object'
                            then p.relationship_type_schemas else '{"{}"}' end) t
            where  i.project_id = any(@projects)
            and    i.active
            """;
    }

    private const string InUse =
        """
        select o.project_id, 'entity' as kind, o.type as name, null::text as description, null::text as schema_json
        from   kb.graph_objects o
        where  o.project_id = any(@projects)
        and    o.branch_id is null
        and    o.deleted_at is null
        and    o.status is distinct from 'rejected'
        and    not exists (
                   select 1
                   from   kb.graph_objects n
                   where  n.project_id = o.project_id
                   and    n.canonical_id = o.canonical_id
                   and    n.branch_id is null
                   and    (n.version, n.created_at, n.id) > (o.version, o.created_at, o.id))
        group  by o.project_id, o.type
        union  all
        select r.project_id, 'relationship', r.type, null, null
        from   kb.graph_relationships r
        where  r.project_id = any(@projects)
        and    r.branch_id is null
        and    r.deleted_at is null
        group  by r.project_id, r.type
        """;

    private static IReadOnlyList<ExtractionType> TypesOf(
        ILookup<(Guid ProjectId, string Kind), TypeRow> types, Guid project, string kind)
    {
        var rows = types[(project, kind)].Any() ? types[(project, kind)] : types[(project, kind + " in use")];
        return
        [
            .. rows.Where(r => !string.IsNullOrWhiteSpace(r.Name))
                .DistinctBy(r => r.Name, StringComparer.Ordinal)
                .OrderBy(r => r.Name, StringComparer.Ordinal)
                .Select(r => new ExtractionType(r.Name, r.Description ?? "", FieldsOf(r.SchemaJson))),
        ];
    }

    // A JSON schema: {"properties":{"vendor":{"type":"string"}},"required":["vendor"]}. What is not of that form says nothing.
    private static IReadOnlyList<string> FieldsOf(string? schemaJson)
    {
        if (schemaJson is null)
        {
            return [];
        }

        using var schema = JsonDocument.Parse(schemaJson);
        if (schema.RootElement.ValueKind != JsonValueKind.Object
            || !schema.RootElement.TryGetProperty("properties", out var properties)
            || properties.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        var required = schema.RootElement.TryGetProperty("required", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.String).Select(r => r.GetString()).ToHashSet()
            : [];
        return
        [
            .. properties.EnumerateObject()
                .Where(p => p.Name is not ("name" or "description"))
                .OrderBy(p => p.Name, StringComparer.Ordinal)
                .Select(p => Field(p.Name, TypeOf(p.Value), required.Contains(p.Name))),
        ];
    }

    private static string? TypeOf(JsonElement property) =>
        property.ValueKind == JsonValueKind.Object
        && property.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()
            : null;

    private static string Field(string name, string? type, bool isRequired) => (type, isRequired) switch
    {
        (null, false) => name,
        (null, true) => $"{name} (required)",
        (_, false) => $"{name} ({type})",
        (_, true) => $"{name} ({type}, required)",
    };
}
