using System.Data;
using System.Text.Json;
using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>
/// Reads the entity and relationship types of projects: from their schema registry, else those of verified data. What
/// of them a prompt lists, <see cref="ListedTypes"/> decides.
/// </summary>
/// <remarks>
/// A project without a registry entry of a kind gets the types of that kind that verified objects have, or
/// relationships between two of them; what nobody has verified never reaches a prompt. A prompt takes a registry of up
/// to
/// <see cref="PromptLimits.MostTypes"/> types in the order of their names, and of more than that the types that most
/// verified data has.
/// </remarks>
public static class TypeQueries
{
    // So much more than is shown that what is cut away cannot have been the beginning of something personal.
    private const int MostDescriptionRead = 10 * PromptLimits.LongestDescription;

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1_000 };

    private static readonly string[] Kinds = ["string", "number", "integer", "boolean", "array", "object", "null"];

    private sealed record SizeRow(Guid ProjectId, string Kind, long Types);

    private sealed record TypeRow(
        Guid ProjectId, string Kind, string Name, string? Description, string? SchemaJson, bool IsSchemaTooLong,
        bool IsRegistered, long Total);

    private sealed record NameRow(string Kind, string Name);

    /// <summary>The types of each project, in a transaction of its own.</summary>
    public static async Task<IReadOnlyDictionary<Guid, ExtractionTypes>> ListTypesAsync(
        this NpgsqlConnection db, IReadOnlyCollection<Guid> projects, VerificationOptions verification,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await db.ExecuteAsync(Sql.Command(KnowledgeSql.HashJoins, null, cancellationToken));
        var types = await db.ReadTypesAsync(projects, verification, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return types;
    }

    /// <summary>The same, of the snapshot's projects and its state.</summary>
    public static Task<IReadOnlyDictionary<Guid, ExtractionTypes>> ListTypesAsync(
        this KnowledgeSnapshot snapshot, VerificationOptions verification, CancellationToken cancellationToken) =>
        snapshot.Connection.ReadTypesAsync(snapshot.Projects, verification, cancellationToken);

    /// <summary>
    /// The types that a project's registry has, whether a prompt lists them or not, without what it says of them;
    /// without a registry none, as of a project that takes any.
    /// </summary>
    internal static async Task<ExtractionTypes> ListRegisteredTypesAsync(
        this NpgsqlConnection db, Guid project, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            with {Registered(await IsRenamedAsync(db, cancellationToken))}
            select kind, name
            from   registered
            order  by name collate "C"
            """;

        var rows = (await db.QueryAsync<NameRow>(Sql.Command(sql, new { all = new[] { project } }, cancellationToken)))
            .ToLookup(row => row.Kind, row => new ExtractionType(row.Name, "", []));
        return new([.. rows[ListedTypes.Entity]], [.. rows[ListedTypes.Relationship]]);
    }

    private static async Task<IReadOnlyDictionary<Guid, ExtractionTypes>> ReadTypesAsync(
        this NpgsqlConnection db, IReadOnlyCollection<Guid> projects, VerificationOptions verification,
        CancellationToken cancellationToken)
    {
        var registered = Registered(await IsRenamedAsync(db, cancellationToken));
        var all = projects.ToArray();
        var sizes = (await db.QueryAsync<SizeRow>(Sql.Command(
                $"with {registered} select project_id, kind, count(*) as types from registered group by project_id, kind",
                new { all }, cancellationToken)))
            .ToDictionary(row => (row.ProjectId, row.Kind), row => row.Types);

        // Where the registries answer by themselves, no object is read.
        var counted = projects.Where(p => MustCount(p, ListedTypes.Entity) || MustCount(p, ListedTypes.Relationship)).ToArray();
        var rule = VerificationRule.OfPrompts(verification);
        var args = new
        {
            all,
            projects = counted,
            minConfidence = rule.MinConfidence,
            humanReviewedOnly = rule.HumanReviewedOnly,
            countOwnAcceptances = rule.CountOwnAcceptances,
            acceptedStatuses = rule.AcceptedStatuses.ToArray(),
            mostTypes = PromptLimits.MostTypes,
            mostRead = PromptLimits.MostRead,
            mostDescription = MostDescriptionRead,
            longestSchema = PromptLimits.LongestSchema,
        };
        var types = (await db.QueryAsync<TypeRow>(Sql.Command(
                Candidates(registered, counted.Length > 0 ? KnowledgeSql.UsedTypes : NothingUsed), args, cancellationToken)))
            .ToLookup(row => (row.ProjectId, row.Kind));
        return projects.ToDictionary(
            p => p,
            p => ListedTypes.Of(CandidatesOf(types[(p, ListedTypes.Entity)]), CandidatesOf(types[(p, ListedTypes.Relationship)])));

        bool MustCount(Guid project, string kind) =>
            sizes.GetValueOrDefault((project, kind)) is 0 or > PromptLimits.MostTypes;
    }

    private static Task<bool> IsRenamedAsync(NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.ExecuteScalarAsync<bool>(Sql.Command(
            "select to_regclass('kb.project_object_schema_registry') is not null", null, cancellationToken));

    /// <summary><c>registered</c>: the types of the registries of <c>@all</c> uuid[].</summary>
    /// <param name="isRenamed">
    /// Whether template packs are called schemas, as the product calls them now. Both generations of installations
    /// exist.
    /// </param>
    private static string Registered(bool isRenamed)
    {
        var (registry, installed, pack, packId) = isRenamed
            ? ("kb.project_object_schema_registry", "kb.project_schemas", "kb.graph_schemas", "schema_id")
            : ("kb.project_object_type_registry", "kb.project_template_packs", "kb.graph_template_packs",
                "template_pack_id");

        return
            $"""
            registered as materialized (
                select t.*, count(*) over (partition by t.project_id, t.kind) as types
                from   (select project_id, '{ListedTypes.Entity}' as kind, type_name as name, description,
                               json_schema::text as schema_json
                        from   {registry}
                        where  project_id = any(@all)
                        and    enabled
                        union  all
                        select i.project_id, '{ListedTypes.Relationship}', t.key, t.value->>'description', t.value::text
                        from   {installed} i
                        join   {pack} p on p.id = i.{packId}
                        cross  join lateral jsonb_each(
                                   case when jsonb_typeof(p.relationship_type_schemas) = 'object'
                                        then p.relationship_type_schemas else '{"{}"}' end) t
                        where  i.project_id = any(@all)
                        and    i.active) t
                where  btrim(t.name) <> ''
            )
            """;
    }

    private const string NothingUsed =
        """
        used as (
            select null::uuid as project_id, '' as kind, '' as compared, '' as name, 0 as uses where false
        )
        """;

    private static string Candidates(string registered, string used) =>
        $"""
        with {registered},
        {used},
        candidates as (
            select r.project_id, r.kind, r.name, r.description, r.schema_json, true as is_registered,
                   coalesce(u.uses, 0) as uses
            from   registered r
            left   join used u
                   on u.project_id = r.project_id and u.kind = r.kind and u.compared = lower(btrim(r.name))
                   and r.types > @mostTypes
            union  all
            select u.project_id, u.kind, u.name, null, null, false, u.uses
            from   used u
            where  not exists (select 1 from registered r where r.project_id = u.project_id and r.kind = u.kind)
        ),
        ranked as (
            select c.*, row_number() over (partition by project_id, kind order by uses desc, name collate "C") as place,
                   count(*) over (partition by project_id, kind) as total
            from   candidates c
        )
        select project_id, kind, name, left(description, @mostDescription) as description,
               case when length(schema_json) <= @longestSchema then schema_json end as schema_json,
               coalesce(length(schema_json) > @longestSchema, false) as is_schema_too_long, is_registered, total
        from   ranked
        where  place <= @mostRead
        order  by project_id, kind, place
        """;

    private static TypeCandidates CandidatesOf(IEnumerable<TypeRow> rows)
    {
        var types = rows.ToList();
        return types.Count == 0
            ? TypeCandidates.None
            : new(
                [
                    .. types.Select(row => new TypeCandidate(
                        row.Name, row.Description ?? "", FieldsOf(row.SchemaJson), row.IsRegistered, row.IsSchemaTooLong)),
                ],
                types[0].Total);
    }

    // A JSON schema: {"properties":{"vendor":{"type":"string"}},"required":["vendor"]}. What is not of that form says nothing.
    private static IReadOnlyList<TypeField> FieldsOf(string? schemaJson)
    {
        if (schemaJson is null)
        {
            return [];
        }

        using var schema = TryParse(schemaJson);
        if (schema?.RootElement.ValueKind != JsonValueKind.Object
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
                .Select(p => new TypeField(ComparedText.Spelling(p.Name), KindOf(p.Value), required.Contains(p.Name))),
        ];
    }

    private static JsonDocument? TryParse(string schemaJson)
    {
        try
        {
            return JsonDocument.Parse(schemaJson, Deep);
        }
        catch (JsonException)
        {
            // Nested deeper than anybody means it; the database has checked everything else.
            return null;
        }
    }

    // Only the words of JSON Schema: anything else would be text of the registry where nobody expects one.
    private static string? KindOf(JsonElement property) =>
        property.ValueKind == JsonValueKind.Object
        && property.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? Kinds.FirstOrDefault(type.ValueEquals)
            : null;
}
