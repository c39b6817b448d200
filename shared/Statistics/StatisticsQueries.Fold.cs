using Dapper;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>What a fold is about to go on from.</summary>
/// <param name="Rules">What the project was counted by; null when it never was.</param>
/// <param name="CompleteTo">Everything committed until then is counted; null when the project never was.</param>
/// <param name="LockedAt">The database's time before anything else is read.</param>
internal sealed record CountedProject(
    Guid ProjectId, Guid OrganizationId, string? Rules, DateTimeOffset? CompleteTo, DateTimeOffset LockedAt);

/// <summary>What changed, and when it last did.</summary>
/// <param name="Changes">How often it stands in the log.</param>
internal sealed record NotedChange(string Subject, Guid SubjectId, DateTimeOffset At, long Changes);

/// <summary>An object whose verdict is to be looked at again.</summary>
internal sealed record NotedObject(Guid CanonicalId, DateTimeOffset At);

/// <summary>What came of looking at some objects again.</summary>
/// <param name="Extractions">Those in which a difference was found.</param>
/// <param name="LeftOver">Objects of which it is not known where they were found; nothing was done to them.</param>
internal sealed record RecountedObjects(
    IReadOnlyList<NotedExtraction> Extractions, IReadOnlyList<Guid> LeftOver);

/// <summary>An extraction of which an object has changed.</summary>
/// <param name="DocumentId">Of the chunk; null when no object of the extraction has it any more, or only unchanged ones.</param>
internal sealed record NotedExtraction(Guid JobId, Guid ChunkId, Guid? DocumentId, DateTimeOffset At);

/// <summary>Subjects of <c>ml.knowledge_changes</c>; held to these by a check constraint.</summary>
internal static class NotedSubject
{
    /// <summary>A version came or changed: what the object says, or the extraction that it names.</summary>
    public const string Object = "object";

    /// <summary>Which chunk the object was found in may be another one, without a word of its extraction.</summary>
    public const string Evidence = "evidence";

    public const string Extraction = "extraction";
    public const string Document = "document";
    public const string Project = "project";
}

public static partial class StatisticsQueries
{
    /// <summary>
    /// The last versions of objects as they are counted. The content is what an example would take from a verified object; of
    /// one that no level verifies it is nothing, so that a change there does not make an example new.
    /// </summary>
    private const string Counted =
        $"""
        select l.canonical_id, l.type as entity_type, l.is_live, l.is_rejected, l.is_refused, l.is_sourced, l.is_confirmation,
               v.verified_to, v.own_verified_to,
               v.own_verified_to >= 0
               and (not @requireName
                   or coalesce(jsonb_typeof(l.properties->'name') in ('string', 'number'), false)
                      and btrim(l.properties->>'name', @whiteSpace) <> '')
               and {DescriptionLength} > @descriptionLongerThan as is_meaningful,
               l.named_job_id as job_id, l.chunk_id, l.document_id,
               case when v.own_verified_to < 0 then 0
                    else hashtextextended(l.type || E'\n' || coalesce(l.key, '') || E'\n' || l.properties::text, 0)
               end as content,
               l.updated_at
        from   located l
        cross  join lateral (
                   select case when not l.is_live or l.is_rejected then -1
                               when l.is_reviewed then 101
                               when l.is_accepted then coalesce(width_bucket(l.confidence, (
                                   select array_agg(k / 100.0::float8 - {KnowledgeSql.Tolerance} order by k)
                                   from   generate_series(0, 100) k)) - 1, -1)
                               else -1
                          end::smallint as own_verified_to) o
        cross  join lateral (
                   select case when l.is_own and o.own_verified_to <= 100 then -1::smallint else o.own_verified_to
                          end as verified_to, o.own_verified_to) v
        """;

    // The rules count UTF-16 characters: what lies above U+FFFF is two of them.
    private const string DescriptionLength =
        """
        coalesce((
                   select case when length(d.text) > @descriptionLongerThan then length(d.text)
                               else length(d.text) + regexp_count(d.text, '[\U00010000-\U0010FFFF]')
                          end
                   from   (select btrim(l.properties->>'description', @whiteSpace) as text
                           where  jsonb_typeof(l.properties->'description') in ('string', 'number')) d), 0)
        """;

    /// <summary>
    /// An extraction's levels, of its objects that are not deleted. It has too many undecided objects above the level of the
    /// first object that is one too many.
    /// </summary>
    private static readonly string Levels =
        $"""
        {LevelsOf("verified_to", "")},
        {LevelsOf("own_verified_to", "own_")},
        {KnowledgeSql.IsHeld} as is_held,
        {KnowledgeSql.IsEmpty} as is_empty
        """;

    /// <summary>Deleted objects alone are no extraction, unless people had rejected them all.</summary>
    private static readonly string IsExtraction = $"(bool_or(o.is_live or o.is_confirmation) or {KnowledgeSql.IsEmpty})";

    private static string LevelsOf(string verifiedTo, string prefix) =>
        $"""
        coalesce((array_agg(o.{verifiedTo} order by o.{verifiedTo}) filter (where o.is_live and not o.is_rejected))
                     [floor(@maxUndecidedShare * count(*) filter (where o.is_live))::integer + 1], 101)::smallint
            as {prefix}decided_to,
        coalesce(max(o.{verifiedTo}) filter (where o.is_live and o.is_meaningful and not o.is_rejected), -1)::smallint
            as {prefix}meaningful_to
        """;

    /// <summary>Makes the row that folds of the project lock, unless there is one or the project is deleted.</summary>
    internal static Task AddCountedProjectAsync(
        this NpgsqlConnection db, Guid projectId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.counted_projects (project_id, organization_id)
            select id, organization_id
            from   kb.projects
            where  id = @projectId
            and    deleted_at is null
            on     conflict do nothing
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { projectId }, cancellationToken));
    }

    /// <summary>Waits for other folds of the project, and keeps them out until the transaction ends.</summary>
    /// <returns>Null when the project is gone or has no row yet.</returns>
    internal static Task<CountedProject?> LockCountedProjectAsync(
        this NpgsqlConnection db, Guid projectId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select project_id as ProjectId, organization_id as OrganizationId, rules as Rules,
                   complete_to as CompleteTo, clock_timestamp() as LockedAt
            from   ml.counted_projects n
            where  project_id = @projectId
            and    exists (
                select 1 from kb.projects p where p.id = n.project_id and p.organization_id = n.organization_id)
            for    update of n
            """;

        return db.QuerySingleOrDefaultAsync<CountedProject>(WithoutTimeout(sql, new { projectId }, cancellationToken));
    }

    /// <summary>
    /// Takes the oldest changes out of the log. What is not committed yet is not seen and stays, whatever its number; what
    /// is read afterwards is at least as new as what was taken.
    /// </summary>
    internal static async Task<IReadOnlyList<NotedChange>> TakeChangesAsync(
        this NpgsqlConnection db, Guid projectId, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with taken as (
                delete from ml.knowledge_changes
                where  ctid = any(array(
                           select c.ctid
                           from   ml.knowledge_changes c
                           where  c.project_id = @projectId
                           order  by c.id
                           limit  @limit))
                returning subject, subject_id, at
            )
            select subject as Subject, subject_id as SubjectId, max(at) as At, count(*) as Changes
            from   taken
            group  by subject, subject_id
            """;

        return [.. await db.QueryAsync<NotedChange>(Sql.Command(sql, new { projectId, limit }, cancellationToken))];
    }

    /// <summary>Objects of the extractions that changed, or whose source may be another one since a document changed.</summary>
    internal static async Task<IReadOnlyList<NotedObject>> ListAffectedObjectsAsync(
        this NpgsqlConnection db, Guid projectId, IReadOnlyCollection<NotedChange> changes,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            with documents as materialized (
                select * from unnest(@documentIds, @documentTimes) as d (id, at)
            ),
            chunks as materialized (
                select c.id, d.at
                from   documents d
                join   kb.chunks c on c.document_id = d.id
            ),
            extractions as (
                select * from unnest(@extractionIds, @extractionTimes) as e (id, at)
                union  all
                select j.id, d.at
                from   documents d
                join   kb.object_extraction_jobs j on j.document_id = d.id
                union  all
                select j.id, d.at
                from   documents d
                join   kb.object_extraction_jobs j on lower(j.source_id) = d.id::text
                union  all
                select j.id, c.at
                from   chunks c
                join   kb.object_extraction_jobs j on j.chunk_id = c.id
                union  all
                select j.id, c.at
                from   chunks c
                join   kb.object_extraction_jobs j on lower(j.source_id) = c.id::text
                union  all
                select x.job_id, d.at
                from   documents d
                join   ml.counted_extractions x on x.project_id = @projectId and x.document_id = d.id
            )
            select o.canonical_id as CanonicalId, max(e.at) as At
            from   extractions e
            join   ml.counted_objects o on o.project_id = @projectId and o.job_id = e.id
            group  by o.canonical_id
            """;

        var documents = changes.Where(c => c.Subject == NotedSubject.Document).ToList();
        var extractions = changes.Where(c => c.Subject == NotedSubject.Extraction).ToList();
        var args = new
        {
            projectId,
            documentIds = documents.Select(c => c.SubjectId).ToArray(),
            documentTimes = documents.Select(c => c.At.UtcDateTime).ToArray(),
            extractionIds = extractions.Select(c => c.SubjectId).ToArray(),
            extractionTimes = extractions.Select(c => c.At.UtcDateTime).ToArray(),
        };
        return [.. await db.QueryAsync<NotedObject>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>
    /// Decides again what some objects count as, and moves the counts by the difference. Where they were found is taken from
    /// what is counted, as long as they name the same extraction: whatever else could have changed it is noted by itself.
    /// </summary>
    internal static Task<RecountedObjects> RecountUnmovedObjectsAsync(
        this NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedObject> objects,
        CountingRules rules, CancellationToken cancellationToken) =>
        db.RecountObjectsAsync(
            $"""
            with {KnowledgeSql.FewHeads},
            {Before},
            located as (
                select h.*, h.job_id as named_job_id, h.is_rejected and h.is_reviewed as is_refused, b.is_sourced, b.chunk_id,
                       b.document_id
                from   heads h
                join   before b on b.canonical_id = h.canonical_id and b.job_id is not distinct from h.job_id
            ),
            left_over as materialized (
                select canonical_id from heads
                except
                select canonical_id from located
            )
            """,
            project, objects, rules, cancellationToken);

    /// <summary>The same of objects that may have been found in another chunk, which is looked up.</summary>
    internal static Task<RecountedObjects> RecountObjectsAsync(
        this NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedObject> objects,
        CountingRules rules, CancellationToken cancellationToken) =>
        db.RecountObjectsAsync(
            $"""
            {KnowledgeSql.LocatedFew},
            {Before},
            left_over as (
                select null::uuid as canonical_id where false
            )
            """,
            project, objects, rules, cancellationToken);

    private const string Before =
        """
        before as materialized (
            select *, ctid as place
            from   ml.counted_objects
            where  project_id = @projectId
            and    canonical_id = any(@canonicalIds)
        )
        """;

    private static async Task<RecountedObjects> RecountObjectsAsync(
        this NpgsqlConnection db, string located, CountedProject project, IReadOnlyCollection<NotedObject> objects,
        CountingRules rules, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            {located},
            current_objects as materialized (
                {Counted}
            ),
            differences as materialized (
                select coalesce(a.canonical_id, b.canonical_id) as canonical_id, b.place,
                       b.canonical_id is not null as was_there, a.canonical_id is not null as is_there,
                       b.entity_type as old_type, b.is_live as old_is_live, b.is_rejected as old_is_rejected,
                       b.verified_to as old_verified_to, b.own_verified_to as old_own_verified_to,
                       b.job_id as old_job_id, b.chunk_id as old_chunk_id,
                       a.entity_type, a.is_live, a.is_rejected, a.is_refused, a.is_sourced, a.is_confirmation, a.verified_to,
                       a.own_verified_to, a.is_meaningful, a.job_id, a.chunk_id, a.document_id, a.content
                from   (select * from before where canonical_id not in (select canonical_id from left_over)) b
                full   join current_objects a on a.canonical_id = b.canonical_id
                where  (b.canonical_id, b.entity_type, b.is_live, b.is_rejected, b.is_refused, b.is_sourced, b.is_confirmation,
                        b.verified_to, b.own_verified_to, b.is_meaningful, b.job_id, b.chunk_id, b.document_id, b.content)
                       is distinct from
                       (a.canonical_id, a.entity_type, a.is_live, a.is_rejected, a.is_refused, a.is_sourced, a.is_confirmation,
                        a.verified_to, a.own_verified_to, a.is_meaningful, a.job_id, a.chunk_id, a.document_id, a.content)
            ),
            noted as (
                select d.*, n.at
                from   differences d
                join   unnest(@canonicalIds, @times) as n (canonical_id, at) on n.canonical_id = d.canonical_id
            ),
            removed as (
                delete from ml.counted_objects o
                using  differences d
                where  o.ctid = d.place
                and    not d.is_there
            ),
            changed as (
                update ml.counted_objects o
                set    entity_type = d.entity_type,
                       is_live = d.is_live,
                       is_rejected = d.is_rejected,
                       is_refused = d.is_refused,
                       is_sourced = d.is_sourced,
                       is_confirmation = d.is_confirmation,
                       verified_to = d.verified_to,
                       own_verified_to = d.own_verified_to,
                       is_meaningful = d.is_meaningful,
                       job_id = d.job_id,
                       chunk_id = d.chunk_id,
                       document_id = d.document_id,
                       content = d.content
                from   differences d
                where  o.ctid = d.place
                and    d.is_there
            ),
            added as (
                insert into ml.counted_objects (
                    project_id, canonical_id, organization_id, entity_type, is_live, is_rejected, is_refused, is_sourced,
                    is_confirmation, verified_to, own_verified_to, is_meaningful, job_id, chunk_id, document_id, content)
                select @projectId, canonical_id, @organizationId, entity_type, is_live, is_rejected, is_refused, is_sourced,
                       is_confirmation, verified_to, own_verified_to, is_meaningful, job_id, chunk_id, document_id, content
                from   differences
                where  not was_there
            ),
            moved as (
                insert into ml.object_counts (
                    project_id, organization_id, entity_type, is_rejected, verified_to, own_verified_to, count)
                select @projectId, @organizationId, m.entity_type, m.is_rejected, m.verified_to, m.own_verified_to, sum(m.change)
                from   differences d
                cross  join lateral (values
                           (d.was_there and d.old_is_live, d.old_type, d.old_is_rejected, d.old_verified_to,
                            d.old_own_verified_to, -1),
                           (d.is_there and d.is_live, d.entity_type, d.is_rejected, d.verified_to, d.own_verified_to, 1))
                       as m (counts, entity_type, is_rejected, verified_to, own_verified_to, change)
                where  m.counts
                group  by m.entity_type, m.is_rejected, m.verified_to, m.own_verified_to
                having sum(m.change) <> 0
                on     conflict (project_id, entity_type, is_rejected, verified_to, own_verified_to) do update
                set    count = object_counts.count + excluded.count
            ),
            stamped as (
                update ml.counted_projects
                set    last_change_at = greatest(last_change_at, (select max(at) from noted))
                where  project_id = @projectId
                and    exists (select 1 from differences)
            )
            select p.job_id as JobId, p.chunk_id as ChunkId, min(p.document_id::text)::uuid as DocumentId,
                   max(n.at) as At, null::uuid as LeftOver
            from   noted n
            cross  join lateral (values
                       (n.old_job_id, n.old_chunk_id, null), (n.job_id, n.chunk_id, n.document_id))
                   as p (job_id, chunk_id, document_id)
            where  p.chunk_id is not null
            group  by p.job_id, p.chunk_id
            union  all
            select null, null, null, null, canonical_id
            from   left_over
            """;

        var args = rules.Parameters(project);
        args.Add("canonicalIds", objects.Select(o => o.CanonicalId).ToArray());
        args.Add("times", objects.Select(o => o.At.UtcDateTime).ToArray());
        var rows = (await db.QueryAsync<RecountedRow>(WithoutTimeout(sql, args, cancellationToken))).ToLookup(
            row => row.LeftOver is null);
        return new RecountedObjects(
            [.. rows[true].Select(
                row => new NotedExtraction(row.JobId!.Value, row.ChunkId!.Value, row.DocumentId, row.At!.Value))],
            [.. rows[false].Select(row => row.LeftOver!.Value)]);
    }

    private sealed record RecountedRow(
        Guid? JobId, Guid? ChunkId, Guid? DocumentId, DateTimeOffset? At, Guid? LeftOver);

    /// <summary>Takes the levels of some extractions anew from their counted objects, and moves the counts.</summary>
    internal static Task RecountExtractionsAsync(
        this NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedExtraction> extractions,
        CountingRules rules, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            with given as materialized (
                select *
                from   unnest(@jobIds, @chunkIds, @documentIds, @times) as n (job_id, chunk_id, document_id, at)
            ),
            -- Whether a text is empty, every extraction of its chunk says.
            noted as materialized (
                select job_id, chunk_id, document_id, at, true as is_given
                from   given
                union  all
                select x.job_id, x.chunk_id, x.document_id, c.at, false
                from   (select chunk_id, max(at) as at from given group by chunk_id) c
                join   ml.counted_extractions x on x.project_id = @projectId and x.chunk_id = c.chunk_id
                where  not exists (select 1 from given g where g.job_id = x.job_id and g.chunk_id = x.chunk_id)
            ),
            each_standing as (
                select o.job_id, o.chunk_id,
                       {Levels}
                from   noted n
                join   ml.counted_objects o
                       on o.project_id = @projectId and o.job_id = n.job_id and o.chunk_id = n.chunk_id
                where  not {KnowledgeSql.IsForgotten("o")}
                group  by o.job_id, o.chunk_id
                having {IsExtraction}
            ),
            standing as (
                select s.*, s.is_empty and not bool_or(s.is_held) over (partition by s.chunk_id) as is_empty_for_all
                from   each_standing s
            ),
            differences as materialized (
                select n.job_id, n.chunk_id, coalesce(n.document_id, b.document_id) as document_id, b.ctid as place,
                       b.job_id is not null as was_there, s.job_id is not null as is_there,
                       b.usable_to as old_usable_to, b.decided_to as old_decided_to,
                       b.own_usable_to as old_own_usable_to, b.own_decided_to as old_own_decided_to,
                       b.is_empty as old_is_empty, b.changed_at as old_changed_at,
                       least(s.decided_to, s.meaningful_to) as usable_to, s.decided_to,
                       least(s.own_decided_to, s.own_meaningful_to) as own_usable_to, s.own_decided_to, s.is_held,
                       s.is_empty_for_all as is_empty,
                       case when n.is_given or b.is_empty is distinct from s.is_empty_for_all
                            then greatest(n.at, b.changed_at) else b.changed_at end as changed_at
                from   noted n
                left   join standing s on s.job_id = n.job_id and s.chunk_id = n.chunk_id
                left   join ml.counted_extractions b
                       on b.project_id = @projectId and b.job_id = n.job_id and b.chunk_id = n.chunk_id
            ),
            removed as (
                delete from ml.counted_extractions x
                using  differences d
                where  x.ctid = d.place
                and    not d.is_there
            ),
            changed as (
                update ml.counted_extractions x
                set    document_id = d.document_id,
                       usable_to = d.usable_to,
                       decided_to = d.decided_to,
                       own_usable_to = d.own_usable_to,
                       own_decided_to = d.own_decided_to,
                       is_held = d.is_held,
                       is_empty = d.is_empty,
                       changed_at = d.changed_at
                from   differences d
                where  x.ctid = d.place
                and    d.is_there
            ),
            added as (
                insert into ml.counted_extractions (
                    project_id, job_id, chunk_id, organization_id, document_id, usable_to, decided_to, own_usable_to,
                    own_decided_to, is_held, is_empty, changed_at)
                select @projectId, job_id, chunk_id, @organizationId, document_id, usable_to, decided_to, own_usable_to,
                       own_decided_to, is_held, is_empty, changed_at
                from   differences
                where  is_there
                and    not was_there
            )
            insert into ml.extraction_counts (
                project_id, organization_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
            select @projectId, @organizationId, (m.changed_at at time zone 'UTC')::date, m.level, sum(m.usable),
                   sum(m.decided), sum(m.own_usable), sum(m.own_decided), sum(m.empty)
            from   differences d
            cross  join lateral (values
                       (d.old_changed_at, d.old_usable_to, -1, 0, 0, 0, 0),
                       (d.old_changed_at, d.old_decided_to, 0, -1, 0, 0, 0),
                       (d.old_changed_at, d.old_own_usable_to, 0, 0, -1, 0, 0),
                       (d.old_changed_at, d.old_own_decided_to, 0, 0, 0, -1, 0),
                       (d.old_changed_at, case when d.old_is_empty then 101 end, 0, 0, 0, 0, -1),
                       (d.changed_at, d.usable_to, 1, 0, 0, 0, 0),
                       (d.changed_at, d.decided_to, 0, 1, 0, 0, 0),
                       (d.changed_at, d.own_usable_to, 0, 0, 1, 0, 0),
                       (d.changed_at, d.own_decided_to, 0, 0, 0, 1, 0),
                       (d.changed_at, case when d.is_empty then 101 end, 0, 0, 0, 0, 1))
                   as m (changed_at, level, usable, decided, own_usable, own_decided, empty)
            where  m.level is not null
            group  by 3, m.level
            having sum(m.usable) <> 0 or sum(m.decided) <> 0 or sum(m.own_usable) <> 0 or sum(m.own_decided) <> 0
            or     sum(m.empty) <> 0
            on     conflict (project_id, changed_on, level) do update
            set    usable = extraction_counts.usable + excluded.usable,
                   decided = extraction_counts.decided + excluded.decided,
                   own_usable = extraction_counts.own_usable + excluded.own_usable,
                   own_decided = extraction_counts.own_decided + excluded.own_decided,
                   empty = extraction_counts.empty + excluded.empty
            """;

        var args = rules.Parameters(project);
        args.Add("jobIds", extractions.Select(e => e.JobId).ToArray());
        args.Add("chunkIds", extractions.Select(e => e.ChunkId).ToArray());
        args.Add("documentIds", extractions.Select(e => e.DocumentId).ToArray());
        args.Add("times", extractions.Select(e => e.At.UtcDateTime).ToArray());
        return db.ExecuteAsync(WithoutTimeout(sql, args, cancellationToken));
    }

    /// <summary>Forgets every count of the project and what its log asks for, which a whole count answers.</summary>
    internal static Task ClearCountsAsync(this NpgsqlConnection db, Guid projectId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.knowledge_changes where project_id = @projectId;
            delete from ml.counted_objects where project_id = @projectId;
            delete from ml.counted_extractions where project_id = @projectId;
            delete from ml.object_counts where project_id = @projectId;
            delete from ml.extraction_counts where project_id = @projectId;
            update ml.counted_projects set last_change_at = null where project_id = @projectId
            """;

        return db.ExecuteAsync(WithoutTimeout(sql, new { projectId }, cancellationToken));
    }

    /// <summary>The rows of a project outside branches, by their objects, with the time at which one was last written.</summary>
    /// <returns>Some of them, when there are more rows than <paramref name="limit"/>.</returns>
    internal static async Task<(IReadOnlyList<NotedObject> Objects, bool AreAll)> ListObjectsAsync(
        this NpgsqlConnection db, Guid projectId, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select canonical_id as CanonicalId, updated_at as At
            from   kb.graph_objects
            where  project_id = @projectId
            and    branch_id is null
            union  all
            select job_id, confirmed_at
            from   ml.confirmed_empty
            where  project_id = @projectId
            limit  @limit
            """;

        var rows = (await db.QueryAsync<NotedObject>(
            WithoutTimeout(sql, new { projectId, limit = limit + 1 }, cancellationToken))).AsList();
        var objects = rows.GroupBy(o => o.CanonicalId, (id, same) => new NotedObject(id, same.Max(o => o.At)));
        return ([.. objects], rows.Count <= limit);
    }

    /// <summary>
    /// Counts all rows of a project, in one snapshot that is younger than the clearing of its log. When its extractions
    /// last changed is taken from their objects' own times.
    /// </summary>
    internal static Task CountProjectAsync(
        this NpgsqlConnection db, CountedProject project, CountingRules rules, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            {KnowledgeSql.Located},
            o as materialized (
                {Counted}
            ),
            objects as (
                insert into ml.counted_objects (
                    project_id, canonical_id, organization_id, entity_type, is_live, is_rejected, is_refused, is_sourced,
                    is_confirmation, verified_to, own_verified_to, is_meaningful, job_id, chunk_id, document_id, content)
                select @projectId, canonical_id, @organizationId, entity_type, is_live, is_rejected, is_refused, is_sourced,
                       is_confirmation, verified_to, own_verified_to, is_meaningful, job_id, chunk_id, document_id, content
                from   o
            ),
            object_counts as (
                insert into ml.object_counts (
                    project_id, organization_id, entity_type, is_rejected, verified_to, own_verified_to, count)
                select @projectId, @organizationId, entity_type, is_rejected, verified_to, own_verified_to, count(*)
                from   o
                where  is_live
                group  by entity_type, is_rejected, verified_to, own_verified_to
            ),
            each_standing as (
                select o.job_id, o.chunk_id, o.document_id, max(o.updated_at) as changed_at,
                       {Levels}
                from   o
                where  o.chunk_id is not null
                and    not {KnowledgeSql.IsForgotten("o")}
                group  by o.job_id, o.chunk_id, o.document_id
                having {IsExtraction}
            ),
            standing as materialized (
                select s.*, s.is_empty and not bool_or(s.is_held) over (partition by s.chunk_id) as is_empty_for_all
                from   each_standing s
            ),
            extractions as (
                insert into ml.counted_extractions (
                    project_id, job_id, chunk_id, organization_id, document_id, usable_to, decided_to, own_usable_to,
                    own_decided_to, is_held, is_empty, changed_at)
                select @projectId, job_id, chunk_id, @organizationId, document_id, least(decided_to, meaningful_to), decided_to,
                       least(own_decided_to, own_meaningful_to), own_decided_to, is_held, is_empty_for_all, changed_at
                from   standing
            ),
            extraction_counts as (
                insert into ml.extraction_counts (
                    project_id, organization_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
                select @projectId, @organizationId, (s.changed_at at time zone 'UTC')::date, m.level, sum(m.usable),
                       sum(m.decided), sum(m.own_usable), sum(m.own_decided), sum(m.empty)
                from   standing s
                cross  join lateral (values
                           (least(s.decided_to, s.meaningful_to), 1, 0, 0, 0, 0),
                           (s.decided_to, 0, 1, 0, 0, 0),
                           (least(s.own_decided_to, s.own_meaningful_to), 0, 0, 1, 0, 0),
                           (s.own_decided_to, 0, 0, 0, 1, 0),
                           (case when s.is_empty_for_all then 101 end, 0, 0, 0, 0, 1))
                       as m (level, usable, decided, own_usable, own_decided, empty)
                where  m.level is not null
                group  by 3, m.level
            )
            update ml.counted_projects
            set    last_change_at = (select max(updated_at) from o)
            where  project_id = @projectId
            """;

        var args = rules.Parameters(project);
        return db.ExecuteAsync(WithoutTimeout(sql, args, cancellationToken));
    }

    /// <summary>Ends a fold: its time, and no row for what there is none of.</summary>
    /// <param name="isComplete">Whether nothing was left in the log.</param>
    internal static Task MarkFoldedAsync(
        this NpgsqlConnection db, CountedProject project, CountingRules rules, bool isComplete,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.object_counts where project_id = @ProjectId and count = 0;
            delete from ml.extraction_counts
            where  project_id = @ProjectId
            and    (usable, decided, own_usable, own_decided, empty) = (0, 0, 0, 0, 0);
            update ml.counted_projects
            set    rules = @rules,
                   counted_at = clock_timestamp(),
                   complete_to = case when @isComplete then @LockedAt else complete_to end
            where  project_id = @ProjectId
            """;

        var args = new { project.ProjectId, project.LockedAt, rules = rules.Name, isComplete };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>
    /// For a few objects among many: every table has an index to its rows, and an estimate that is off by a thousand must
    /// not lead to reading a table from end to end.
    /// </summary>
    internal static Task PreferIndexesAsync(this NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "set local enable_seqscan = off; set local enable_mergejoin = off; set local jit = off", null,
            cancellationToken));

    /// <summary>For all objects: as an export does, and for the same reason, see <see cref="KnowledgeSnapshot"/>.</summary>
    internal static Task PreferHashJoinsAsync(this NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "set local statement_timeout = 0; set local enable_seqscan = on; set local enable_nestloop = off; "
            + "set local enable_mergejoin = off; set local work_mem = '64MB'; set local jit = off",
            null, cancellationToken));

    // A count of a large project, and whoever waits for one, takes longer than a request; the caller's token ends it.
    private static CommandDefinition WithoutTimeout(string sql, object args, CancellationToken cancellationToken) =>
        new(sql, args, commandTimeout: 0, cancellationToken: cancellationToken);
}
