using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>
/// Every statement by which an import writes <c>kb.*</c> and <c>core.user_profiles</c>, chunks excepted. Rows travel as
/// one array per column: <c>copy</c> refuses tables with row security.
/// </summary>
internal static class ImportQueries
{
    /// <summary>Imports into one organization take turns, from here to the end of the transaction.</summary>
    public static Task LockImportAsync(
        this NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "select pg_advisory_xact_lock(hashtextextended('feedbackloop-import:' || @organizationId::text, 0))",
            new { organizationId }, cancellationToken));

    /// <summary>The organization of this name, made when there is none.</summary>
    /// <returns>Null when the one to be made is there, but deleted or under another name.</returns>
    public static async Task<Guid?> EnsureOrganizationAsync(
        this NpgsqlConnection db, Guid newId, string name, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string find =
            """
            select id from kb.orgs where name = @name and deleted_at is null order by created_at, id limit 1
            """;
        const string add =
            """
            insert into kb.orgs (id, name, created_at, updated_at) values (@newId, @name, @now, @now)
            on conflict (id) do nothing
            """;

        var args = new { newId, name, now };
        if (await db.QuerySingleOrDefaultAsync<Guid?>(Sql.Command(find, args, cancellationToken)) is { } known)
        {
            return known;
        }

        await db.ExecuteAsync(Sql.Command(add, args, cancellationToken));
        return await db.QuerySingleOrDefaultAsync<Guid?>(Sql.Command(find, args, cancellationToken));
    }

    /// <summary>The organization's project of this name in any spelling, as <see cref="EnsureOrganizationAsync"/>.</summary>
    public static async Task<Guid?> EnsureProjectAsync(
        this NpgsqlConnection db, Guid organizationId, Guid newId, string name, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string add =
            """
            insert into kb.projects (id, organization_id, name, created_at, updated_at)
            values (@newId, @organizationId, @name, @now, @now)
            on     conflict (id) do nothing
            """;

        if (await FindProjectAsync(db, organizationId, name, cancellationToken) is { } known)
        {
            return known;
        }

        var args = new { organizationId, newId, name, now };
        await db.ExecuteAsync(Sql.Command(add, args, cancellationToken));
        return await FindProjectAsync(db, organizationId, name, cancellationToken);
    }

    // Which names are equal is decided where types are compared, and PostgreSQL's lower() is not that.
    private static async Task<Guid?> FindProjectAsync(
        NpgsqlConnection db, Guid organizationId, string name, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, name
            from   kb.projects
            where  organization_id = @organizationId
            and    deleted_at is null
            order  by name = @name desc, created_at, id
            """;

        var projects = await db.QueryAsync<(Guid Id, string Name)>(
            Sql.Command(sql, new { organizationId, name }, cancellationToken));
        return projects.Where(each => ComparedText.Type(each.Name) == ComparedText.Type(name))
            .Select(each => (Guid?)each.Id)
            .FirstOrDefault();
    }

    public static Task InsertReviewersAsync(
        this NpgsqlConnection db, IReadOnlyList<Reviewer> reviewers, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into core.user_profiles (id, zitadel_user_id, display_name, created_at, updated_at)
            select r.id, r.external_id, r.name, @now, @now
            from   unnest(@ids, @externalIds, @names) as r (id, external_id, name)
            on     conflict do nothing
            """;

        var args = new
        {
            ids = reviewers.Select(r => r.Id).ToArray(),
            externalIds = reviewers.Select(r => r.ExternalId).ToArray(),
            names = reviewers.Select(r => r.Name).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Those of the chunks that exist, each with the hash of its line or null when it has none.</summary>
    public static async Task<IReadOnlyDictionary<Guid, string?>> FindContentHashesAsync(
        this NpgsqlConnection db, Guid[] chunkIds, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, metadata ->> 'contentSha256' as hash from kb.chunks where id = any(@chunkIds)
            """;

        var rows = await db.QueryAsync<(Guid Id, string? Hash)>(Sql.Command(sql, new { chunkIds }, cancellationToken));
        return rows.ToDictionary(r => r.Id, r => r.Hash);
    }

    /// <summary>Documents that have chunks.</summary>
    public static async Task<IReadOnlyDictionary<Guid, DocumentState>> FindDocumentStatesAsync(
        this NpgsqlConnection db, Guid[] documentIds, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select document_id as DocumentId,
                   coalesce(max((metadata ->> 'importRevision')::int), 1) as Revision,
                   coalesce(max(chunk_index) filter (where deleted_at is null), -1) + 1 as NextIndex
            from   kb.chunks
            where  document_id = any(@documentIds)
            group  by document_id
            """;

        var rows = await db.QueryAsync<DocumentState>(Sql.Command(sql, new { documentIds }, cancellationToken));
        return rows.ToDictionary(r => r.DocumentId);
    }

    /// <returns>How many of them are new.</returns>
    public static Task<int> InsertDocumentsAsync(
        this NpgsqlConnection db, IReadOnlyCollection<DocumentRow> documents, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into kb.documents (id, project_id, filename, mime_type, metadata, created_at, updated_at)
            select d.id, d.project_id, d.filename, 'text/plain', jsonb_build_object('externalId', d.external_id), @now,
                   @now
            from   unnest(@ids, @projectIds, @fileNames, @externalIds) as d (id, project_id, filename, external_id)
            on     conflict (id) do nothing
            """;

        var args = new
        {
            ids = documents.Select(d => d.Id).ToArray(),
            projectIds = documents.Select(d => d.ProjectId).ToArray(),
            fileNames = documents.Select(d => d.FileName).ToArray(),
            externalIds = documents.Select(d => d.ExternalId).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    public static Task InsertJobsAsync(
        this NpgsqlConnection db, IReadOnlyCollection<JobRow> jobs, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into kb.object_extraction_jobs (
                id, project_id, document_id, chunk_id, status, source_type, source_id, objects_created,
                relationships_created, total_items, processed_items, successful_items, started_at, completed_at,
                created_at, updated_at)
            select j.id, j.project_id, j.document_id, j.chunk_id, 'completed', 'document', j.document_id::text,
                   j.objects, j.relationships, 1, 1, 1, @now, @now, @now, @now
            from   unnest(@ids, @projectIds, @documentIds, @chunkIds, @objects, @relationships)
                   as j (id, project_id, document_id, chunk_id, objects, relationships)
            on     conflict (id) do nothing
            """;

        var args = new
        {
            ids = jobs.Select(j => j.Id).ToArray(),
            projectIds = jobs.Select(j => j.ProjectId).ToArray(),
            documentIds = jobs.Select(j => j.DocumentId).ToArray(),
            chunkIds = jobs.Select(j => j.ChunkId).ToArray(),
            objects = jobs.Select(j => j.Objects).ToArray(),
            relationships = jobs.Select(j => j.Relationships).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Objects in their first version, whose canonical id is their id, and their chunks.</summary>
    public static async Task InsertObjectsAsync(
        this NpgsqlConnection db, IReadOnlyCollection<ObjectRow> objects, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into kb.graph_objects (
                id, canonical_id, project_id, type, key, status, version, properties, labels, extraction_job_id,
                extraction_confidence, needs_review, reviewed_by, reviewed_at, actor_type, created_at, updated_at)
            select o.id, o.id, o.project_id, o.type, o.key, o.status, 1, o.properties::jsonb,
                   case when o.needs_review then array['requires_review'] else '{}' end, o.job_id,
                   o.confidence, o.needs_review, o.reviewed_by, case when o.reviewed_by is not null then @now end,
                   'agent', @now, @now
            from   unnest(@ids, @projectIds, @types, @keys, @statuses, @properties, @jobIds, @confidences, @needsReview,
                          @reviewedBy)
                   as o (id, project_id, type, key, status, properties, job_id, confidence, needs_review, reviewed_by)
            on     conflict (id) do nothing
            """;
        const string links =
            """
            insert into kb.object_chunks (id, object_id, chunk_id, extraction_job_id, confidence, created_at)
            select o.id, o.id, o.chunk_id, o.job_id, o.confidence, @now
            from   unnest(@ids, @chunkIds, @jobIds, @confidences) as o (id, chunk_id, job_id, confidence)
            on     conflict do nothing
            """;

        var args = new
        {
            ids = objects.Select(o => o.Id).ToArray(),
            projectIds = objects.Select(o => o.ProjectId).ToArray(),
            jobIds = objects.Select(o => o.JobId).ToArray(),
            chunkIds = objects.Select(o => o.ChunkId).ToArray(),
            types = objects.Select(o => o.Type).ToArray(),
            keys = objects.Select(o => o.Key).ToArray(),
            properties = objects.Select(o => o.PropertiesJson).ToArray(),
            statuses = objects.Select(o => o.Review.Status).ToArray(),
            confidences = objects.Select(o => o.Review.Confidence).ToArray(),
            needsReview = objects.Select(o => o.Review.NeedsReview).ToArray(),
            reviewedBy = objects.Select(o => o.Review.ReviewedBy).ToArray(),
            now,
        };
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
        await db.ExecuteAsync(Sql.Command(links, args, cancellationToken));
    }

    /// <summary>
    /// Relationships in their first version. One that is there already, of the same type between the same two objects, is
    /// neither added again nor an error: the later generation of the product allows one, a deleted one included.
    /// </summary>
    /// <returns>How many of them are new.</returns>
    public static Task<int> InsertRelationshipsAsync(
        this NpgsqlConnection db, IReadOnlyCollection<RelationshipRow> relationships, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        // "Not in" is hashed whatever the planner knows of the tables. With "not exists" it looked through the whole project for
        // each row while they had no statistics, as in a first import.
        const string sql =
            """
            insert into kb.graph_relationships (
                id, canonical_id, project_id, type, src_id, dst_id, properties, version, created_at)
            select r.id, r.id, r.project_id, r.type, r.src_id, r.dst_id, r.properties::jsonb, 1, @now
            from   (select distinct on (project_id, type, src_id, dst_id) *
                    from   unnest(@ids, @projectIds, @types, @sourceIds, @targetIds, @properties)
                           with ordinality as u (id, project_id, type, src_id, dst_id, properties, place)
                    order  by project_id, type, src_id, dst_id, place) r
            where  (r.project_id, r.type, r.src_id, r.dst_id) not in (
                select k.project_id, k.type, k.src_id, k.dst_id
                from   kb.graph_relationships k
                where  k.src_id = any(@sourceIds)
                and    k.branch_id is null
                and    k.supersedes_id is null)
            order  by r.place
            on     conflict do nothing
            """;

        var args = new
        {
            ids = relationships.Select(r => r.Id).ToArray(),
            projectIds = relationships.Select(r => r.ProjectId).ToArray(),
            types = relationships.Select(r => r.Type).ToArray(),
            sourceIds = relationships.Select(r => r.SourceId).ToArray(),
            targetIds = relationships.Select(r => r.TargetId).ToArray(),
            properties = relationships.Select(r => r.PropertiesJson).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
