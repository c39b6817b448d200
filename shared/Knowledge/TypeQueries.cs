using System.Text.Json;
using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>
/// Reads the entity and relationship types of projects: from their schema registry, else those in use. What holds personal data
/// is not among them, and is named in <see cref="ExtractionTypes.LeftOut"/>.
/// </summary>
public static class TypeQueries
{
    private const string Entity = CleanTypes.Entity;
    private const string Relationship = CleanTypes.Relationship;

    private sealed record TypeRow(Guid ProjectId, string Kind, string Name, string? Description, string? SchemaJson);

    /// <summary>The types of each project; one without a registry entry of a kind gets the types in use of that kind.</summary>
    public static async Task<IReadOnlyDictionary<Guid, ExtractionTypes>> ListTypesAsync(
        this NpgsqlConnection db, IReadOnlyCollection<Guid> projects, CancellationToken cancellationToken)
    {
        var registered = await db.ListRegisteredAsync(projects, cancellationToken);
        var known = registered.Select(r => (r.ProjectId, r.Kind)).ToHashSet();
        var args = new { entities = Without(Entity), relationships = Without(Relationship) };
        var inUse = args is { entities: [], relationships: [] }
            ? []
            : await db.QueryAsync<TypeRow>(Sql.Command(InUse, args, cancellationToken));
        var types = registered.Concat(inUse).ToLookup(r => r.ProjectId);

        // In use a type may be spelled in any way: the product's rows are older than these rules.
        return projects.ToDictionary(
            p => p,
            p => CleanTypes.Of(TypesOf(types[p], repeated: Repeated(registered.Where(r => r.ProjectId == p)))));

        Guid[] Without(string kind) => [.. projects.Where(p => !known.Contains((p, kind)))];
    }

    /// <summary>The types that a project's registry has; without it none, as of one that takes any.</summary>
    internal static async Task<ExtractionTypes> ListRegisteredTypesAsync(
        this NpgsqlConnection db, Guid project, CancellationToken cancellationToken)
    {
        var registered = await db.ListRegisteredAsync([project], cancellationToken);
        return TypesOf(registered, Repeated(registered));
    }

    private static async Task<IReadOnlyList<TypeRow>> ListRegisteredAsync(
        this NpgsqlConnection db, IReadOnlyCollection<Guid> projects, CancellationToken cancellationToken) =>
        (await db.QueryAsync<TypeRow>(Sql.Command(
            await RegistryStatementAsync(db, cancellationToken), new { projects = projects.ToArray() }, cancellationToken)))
        .AsList();

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

    // The latest version of each object by one sort: a search for a newer one of each goes through the whole project once an
    // object when the planner knows too little of the table, as after an import.
    private const string InUse =
        """
        select h.project_id, 'entity' as kind, h.type as name, null::text as description, null::text as schema_json
        from   (select distinct on (o.project_id, o.canonical_id) o.project_id, o.type, o.status, o.deleted_at
                from   kb.graph_objects o
                where  o.project_id = any(@entities)
                and    o.branch_id is null
                order  by o.project_id, o.canonical_id, o.version desc, o.created_at desc, o.id desc) h
        where  h.deleted_at is null
        and    h.status is distinct from 'rejected'
        group  by h.project_id, h.type
        union  all
        select r.project_id, 'relationship', r.type, null, null
        from   kb.graph_relationships r
        where  r.project_id = any(@relationships)
        and    r.branch_id is null
        and    r.deleted_at is null
        group  by r.project_id, r.type
        """;

    private static ExtractionTypes TypesOf(IEnumerable<TypeRow> rows, int repeated)
    {
        var kinds = rows.Where(r => !string.IsNullOrWhiteSpace(r.Name)).ToLookup(r => r.Kind);
        return new(ListOf(kinds[Entity]), ListOf(kinds[Relationship])) { Repeated = repeated };
    }

    // Of types that are equal but for case, the first by ordinal: no row says which one was meant.
    private static IReadOnlyList<ExtractionType> ListOf(IEnumerable<TypeRow> rows) =>
    [
        .. rows.Select(r => new ExtractionType(r.Name, r.Description ?? "", FieldsOf(r.SchemaJson)))
            .OrderBy(t => t.Name, StringComparer.Ordinal)
            .DistinctBy(t => ComparedText.Type(t.Name), StringComparer.Ordinal),
    ];

    // The same type of two schema packs is one type, and nothing to speak of.
    private static int Repeated(IEnumerable<TypeRow> registered) => registered
        .Where(r => !string.IsNullOrWhiteSpace(r.Name))
        .GroupBy(r => (r.Kind, ComparedText.Type(r.Name)))
        .Sum(same => same.Select(r => r.Name).Distinct(StringComparer.Ordinal).Count() - 1);

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
