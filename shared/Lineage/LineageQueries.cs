using Dapper;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Lineage;

/// <summary>How much there is, visible and elsewhere.</summary>
internal sealed record LineageCounts(int Datasets, int OtherDatasets, int Models, int OtherModels, int OtherModelsInUse);

/// <summary>A tainted model that extractions use, and what its run and its dataset say of a repeat.</summary>
internal sealed record TaintedInUse(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string BaseModel, long EstimatedTokens, string ParametersJson);

/// <summary>Every statement that follows an example from the product's rows to datasets and models.</summary>
/// <remarks>
/// Of the product's tables they read ids and marks of deletion, of objects also which extraction they name: the login
/// of the API has a right to no more.
/// </remarks>
public static class LineageQueries
{
    /// <summary>
    /// <c>holders</c>: models that have learnt from the subject, and those on top of them. What was forgotten has no
    /// examples any more; the marks of its models tell.
    /// </summary>
    private const string Holders =
        """
        direct as (
            select m.id
            from   ml.fine_tuned_models m
            where  m.dataset_id in (
                       select e.dataset_id
                       from   ml.dataset_examples e
                       where  {0}
                       and    e.split <> 'test')
            union
            select t.model_id
            from   ml.model_taints t
            where  @kind = 'document'
            and    t.document_id = any (@keys)
        ),
        holders as (
            select id from direct
            union
            select m.id
            from   ml.fine_tuned_models m
            join   holders h on m.parent_model_id = h.id
        )
        """;

    // An id is a version's, or that of all versions. The last version outside branches says whether the object is
    // there.
    private const string FindObject =
        """
        select p.organization_id, p.id as home_id, case when p.deleted_at is null then p.id end as project_id, o.canonical_id,
               o.deleted_at is not null as is_deleted
        from   kb.graph_objects o
        join   kb.projects p on p.id = o.project_id
        where  o.canonical_id in (select n.canonical_id from kb.graph_objects n where n.id = @id union all select @id)
        order  by o.branch_id is not null, o.version desc, o.created_at desc, o.id desc
        limit  1
        """;

    private static readonly string ListExtractions =
        $"""
        select distinct v.job_id
        from   (select {KnowledgeSql.JobOf("o")} as job_id
                from   kb.graph_objects o
                where  o.project_id = @HomeId
                and    o.canonical_id = @CanonicalId) v
        where  v.job_id is not null
        """;

    /// <summary>
    /// What is asked about, with the scope whose admins may ask; null when nothing here or in the product has the id.
    /// </summary>
    public static Task<LineageSubject?> FindLineageSubjectAsync(
        this NpgsqlConnection db, string kind, Guid id, CancellationToken cancellationToken) => kind switch
        {
            LineageSubjectKind.Document => db.FindDocumentAsync(id, cancellationToken),
            LineageSubjectKind.Chunk => db.FindChunkAsync(id, cancellationToken),
            LineageSubjectKind.GraphObject => db.FindObjectAsync(id, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };

    internal static async Task<IReadOnlyList<LineageDataset>> ListLineageDatasetsAsync(
        this NpgsqlConnection db, LineageSubject subject, ScopeFilter visible, int limit, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            select id, organization_id, project_id, run_id, purpose, run_state, snapshot_at,
                   case when train_examples > 0 then train_uri end as train_uri, train_examples,
                   case when validation_examples > 0 then validation_uri end as validation_uri, validation_examples,
                   case when test_examples > 0 then test_uri end as test_uri, test_examples
            from   (select d.id, d.organization_id, d.project_id, d.run_id, r.purpose, r.state as run_state, d.snapshot_at,
                           d.created_at, d.train_uri, d.validation_uri, d.test_uri,
                           (count(*) filter (where e.split = 'train'))::int as train_examples,
                           (count(*) filter (where e.split = 'validation'))::int as validation_examples,
                           (count(*) filter (where e.split = 'test'))::int as test_examples
                    from   ml.dataset_examples e
                    join   ml.datasets d on d.id = e.dataset_id
                    join   ml.training_runs r on r.id = d.run_id
                    where  {ExamplesOf(subject)}
                    group  by d.id, r.id) held
            where  {ScopeFilter.Condition}
            order  by created_at desc, id desc
            limit  @limit
            """;

        return (await db.QueryAsync<LineageDataset>(
            Sql.Command(sql, Arguments(subject, visible, limit), cancellationToken))).AsList();
    }

    internal static async Task<IReadOnlyList<LineageModel>> ListLineageModelsAsync(
        this NpgsqlConnection db, LineageSubject subject, ScopeFilter visible, int limit, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            with recursive {HoldersOf(subject)}
            select id, organization_id, project_id, version, status, base_model, parent_model_id,
                   id in (select id from direct) as is_direct, status = 'ready' as is_in_use, tainted_since, taint_reason
            from   ml.fine_tuned_models
            where  id in (select id from holders)
            and    {ScopeFilter.Condition}
            order  by status = 'ready' desc, created_at desc, id desc
            limit  @limit
            """;

        return (await db.QueryAsync<LineageModel>(
            Sql.Command(sql, Arguments(subject, visible, limit), cancellationToken))).AsList();
    }

    internal static Task<LineageCounts> CountLineageAsync(
        this NpgsqlConnection db, LineageSubject subject, ScopeFilter visible, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            with recursive {HoldersOf(subject)},
            sets as (
                select {ScopeFilter.Condition} as is_visible
                from   ml.datasets
                where  id in (select e.dataset_id from ml.dataset_examples e where {ExamplesOf(subject)})
            ),
            models as (
                select coalesce({ScopeFilter.Condition}, false) as is_visible, status = 'ready' as is_in_use
                from   ml.fine_tuned_models
                where  id in (select id from holders)
            )
            select (select count(*) from sets where is_visible)::int as datasets,
                   (select count(*) from sets where is_visible is not true)::int as other_datasets,
                   (select count(*) from models where is_visible)::int as models,
                   (select count(*) from models where not is_visible)::int as other_models,
                   (select count(*) from models where not is_visible and is_in_use)::int as other_models_in_use
            """;

        return db.QuerySingleAsync<LineageCounts>(
            Sql.Command(sql, Arguments(subject, visible, limit: 0), cancellationToken));
    }

    /// <summary>Tainted models in use among those that hold the subject; at most one a scope.</summary>
    internal static async Task<IReadOnlyList<TaintedInUse>> ListTaintedInUseAsync(
        this NpgsqlConnection db, LineageSubject subject, ScopeFilter visible, int limit, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            with recursive {HoldersOf(subject)}
            select m.id, m.organization_id, m.project_id, m.base_model, d.estimated_tokens,
                   r.parameters::text as parameters_json
            from   (select *
                    from   ml.fine_tuned_models
                    where  id in (select id from holders)
                    and    status = 'ready'
                    and    tainted_since is not null
                    and    {ScopeFilter.Condition}) m
            join   ml.datasets d on d.id = m.dataset_id
            join   ml.training_runs r on r.id = m.id
            order  by m.project_id is not null, m.created_at desc
            limit  @limit
            """;

        return (await db.QueryAsync<TaintedInUse>(
            Sql.Command(sql, Arguments(subject, visible, limit), cancellationToken))).AsList();
    }

    private static string ExamplesOf(LineageSubject subject) => subject.Kind switch
    {
        LineageSubjectKind.Document => "e.document_id = any (@keys)",
        LineageSubjectKind.Chunk => "e.chunk_id = any (@keys)",
        _ => "e.job_id = any (@keys)",
    };

    private static string HoldersOf(LineageSubject subject) =>
        Holders.Replace("{0}", ExamplesOf(subject), StringComparison.Ordinal);

    private static object Arguments(LineageSubject subject, ScopeFilter visible, int limit) => new
    {
        kind = subject.Kind,
        keys = subject.Keys,
        visible.WholeOrganizations,
        visible.Organizations,
        visible.Projects,
        limit,
    };

    private static async Task<LineageSubject?> FindDocumentAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        var found = await db.FindDocumentScopeAsync(id, cancellationToken);
        return found is var (scope, isDeleted)
            ? new(LineageSubjectKind.Document, id, scope, isDeleted, [id])
            : null;
    }

    private static async Task<LineageSubject?> FindChunkAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select document_id, is_deleted
            from   (select c.document_id, c.deleted_at is not null as is_deleted, 1 as place
                    from   kb.chunks c
                    where  c.id = @id
                    union  all
                    (select e.document_id, true, 2
                     from   ml.dataset_examples e
                     where  e.chunk_id = @id
                     limit  1)) known
            order  by place
            limit  1
            """;

        var found = await db.QuerySingleOrDefaultAsync<(Guid Document, bool IsDeleted)?>(
            Sql.Command(sql, new { id }, cancellationToken));
        return found is { } chunk && await db.FindDocumentScopeAsync(chunk.Document, cancellationToken) is var (scope, isDeleted)
            ? new(LineageSubjectKind.Chunk, id, scope, isDeleted || chunk.IsDeleted, [id])
            : null;
    }

    private static async Task<LineageSubject?> FindObjectAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        var found = await db.QuerySingleOrDefaultAsync<FoundObject>(Sql.Command(FindObject, new { id }, cancellationToken));
        if (found is null)
        {
            return null;
        }

        var jobs = await db.QueryAsync<Guid>(Sql.Command(
            ListExtractions, new { found.HomeId, found.CanonicalId }, cancellationToken));
        return new(
            LineageSubjectKind.GraphObject, id, new Scope(found.OrganizationId, found.ProjectId), found.IsDeleted, [.. jobs]);
    }

    /// <summary>
    /// The scope of a document: as the product has it, else as it was forgotten, else as datasets hold it. A project
    /// that is gone leaves the organization.
    /// </summary>
    public static async Task<(Scope Scope, bool IsDeleted)?> FindDocumentScopeAsync(
        this NpgsqlConnection db, Guid documentId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select known.organization_id, p.id as project_id, known.is_deleted
            from   (select op.organization_id, d.project_id, false as is_deleted, 1 as place
                    from   ml.live_documents() d
                    join   kb.projects op on op.id = d.project_id
                    where  d.id = @documentId
                    union  all
                    select f.organization_id, f.project_id, true, 2
                    from   ml.forgotten_documents f
                    where  f.document_id = @documentId
                    union  all
                    (select e.organization_id, s.project_id, true, 3
                     from   ml.dataset_examples e
                     join   ml.datasets s on s.id = e.dataset_id
                     where  e.document_id = @documentId
                     order  by s.project_id nulls last
                     limit  1)
                    union  all
                    (select t.organization_id, m.project_id, true, 4
                     from   ml.model_taints t
                     join   ml.fine_tuned_models m on m.id = t.model_id
                     where  t.document_id = @documentId
                     order  by m.project_id nulls last
                     limit  1)) known
            left   join kb.projects p
                   on p.id = known.project_id and p.organization_id = known.organization_id and p.deleted_at is null
            order  by known.place
            limit  1
            """;

        var found = await db.QuerySingleOrDefaultAsync<FoundDocument>(
            Sql.Command(sql, new { documentId }, cancellationToken));
        return found is null ? null : (new Scope(found.OrganizationId, found.ProjectId), found.IsDeleted);
    }

    private sealed record FoundDocument(Guid OrganizationId, Guid? ProjectId, bool IsDeleted);

    /// <param name="HomeId">The project that the object is in, whether that is deleted or not.</param>
    private sealed record FoundObject(Guid OrganizationId, Guid HomeId, Guid? ProjectId, Guid CanonicalId, bool IsDeleted);
}
