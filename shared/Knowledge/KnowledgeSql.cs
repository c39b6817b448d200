namespace FeedbackLoop.Knowledge;

/// <summary>The parts that the readings of the knowledge base share, so that each rule stands once.</summary>
/// <remarks>
/// Parameters of all: <c>@projects</c> uuid[], <c>@minConfidence</c> float8, <c>@humanReviewedOnly</c> bool,
/// <c>@includeDeleted</c> bool, <c>@seed</c> text.
/// </remarks>
internal static class KnowledgeSql
{
    /// <summary>Confidences are stored in single precision: 0.85 may come back as a little less.</summary>
    public const string Tolerance = "1e-6";

    /// <summary>
    /// The current version: per project and canonical id the highest version outside branches, and only then "not deleted".
    /// Filtering deleted rows first would resurrect objects whose last version is a tombstone; following
    /// <c>supersedes_id</c> fails because two generations of the product wrote it in opposite directions.
    /// </summary>
    private const string NotSuperseded =
        """
        not exists (
            select 1
            from   kb.graph_objects n
            where  n.project_id = o.project_id
            and    n.canonical_id = o.canonical_id
            and    n.branch_id is null
            and    (n.version, n.created_at, n.id) > (o.version, o.created_at, o.id))
        """;

    /// <summary>
    /// <c>heads</c>: current objects with what decides their verdict. The extraction is in the column, or in the properties
    /// where both generations of the product put it, or on an earlier version, because an edit does not copy the columns.
    /// A confidence in the properties may be any number that JSON can write; it is bounded before it becomes a float8.
    /// </summary>
    private static string Heads(Reach reach) =>
        $"""
        heads as (
            select o.project_id, o.canonical_id, o.type, o.key, o.properties, o.updated_at,
                   coalesce(
                       o.extraction_job_id,
                       case when o.properties->>'_extraction_job_id' ~ '^[0-9a-fA-F]{"{8}"}(-[0-9a-fA-F]{"{4}"}){"{3}"}-[0-9a-fA-F]{"{12}"}$'
                            then (o.properties->>'_extraction_job_id')::uuid end,
                       case when o.version > 1 then (
                           select v.extraction_job_id
                           from   kb.graph_objects v
                           where  v.project_id = o.project_id
                           and    v.canonical_id = o.canonical_id
                           and    v.branch_id is null
                           and    v.extraction_job_id is not null
                           order  by v.version desc
                           limit  1) end) as job_id,
                   coalesce(o.status = 'rejected', false) as is_rejected,
                   o.reviewed_by is not null as is_reviewed,
                   coalesce(
                       o.extraction_confidence,
                       case when jsonb_typeof(o.properties->'_extraction_confidence') = 'number'
                            then least(greatest((o.properties->>'_extraction_confidence')::numeric, -1), 2)::float8 end)
                       as confidence
            from   kb.graph_objects o
            where  o.project_id = any(@projects)
            and    o.branch_id is null
            and    o.deleted_at is null
            {reach.Objects}
            and    {NotSuperseded}
        )
        """;

    /// <summary>
    /// <c>jobs</c>: extraction jobs with the chunk that they name themselves, the chunk that their source is, and the key
    /// that orders them. A chunk counts only when it belongs to a document of the job's own project. The only chunk of a
    /// document stands in for none that a job names: it may be another one since.
    /// </summary>
    private static string Jobs(Reach reach) =>
        $"""
        sources as materialized (
            select i.*, coalesce(case when i.source_type = 'document' then i.source_id end, i.document_id)
                       as source_document
            from   (select j.id, j.project_id, j.chunk_id,
                           case when j.source_id ~ '^[0-9a-fA-F]{"{8}"}(-[0-9a-fA-F]{"{4}"}){"{3}"}-[0-9a-fA-F]{"{12}"}$'
                                then j.source_id::uuid end as source_id,
                           j.source_type, j.document_id
                    from   kb.object_extraction_jobs j
                    where  j.project_id = any(@projects)
                    {reach.Jobs}) i
        ),
        jobs as materialized (
            select s.id, s.project_id, named.id as named_chunk, named.document_id as named_document,
                   coalesce(source.id, only_chunk.id) as source_chunk,
                   coalesce(source.document_id, only_chunk.document_id) as source_document,
                   md5(@seed || ':' || s.id::text)::uuid as sort_key
            from   sources s
            left   join (kb.chunks named join kb.documents nd on nd.id = named.document_id)
                   on named.id = s.chunk_id and nd.project_id = s.project_id
                   and (@includeDeleted or named.deleted_at is null)
            left   join (kb.chunks source join kb.documents sd on sd.id = source.document_id)
                   on named.id is null and s.source_type = 'chunk' and source.id = s.source_id
                   and sd.project_id = s.project_id and (@includeDeleted or source.deleted_at is null)
            left   join {reach.Lateral} (
                       select c.document_id, min(c.id::text)::uuid as id
                       from   kb.chunks c
                       where  (@includeDeleted or c.deleted_at is null)
                       {reach.Documents}
                       group  by c.document_id
                       having count(*) = 1
                   ) only_chunk
                   on s.chunk_id is null and source.id is null and only_chunk.document_id = s.source_document
                   and exists (select 1 from kb.documents od
                               where od.id = only_chunk.document_id and od.project_id = s.project_id)
        ),
        """;

    /// <summary>
    /// <c>evidence</c>: the chunk that <c>kb.object_chunks</c> names for an object and a job, when it is exactly one. Its
    /// object id is the version at creation, so it is joined by the canonical id.
    /// </summary>
    private static string Evidence(Reach reach) =>
        $"""
        evidence as (
            select v.project_id, v.canonical_id, oc.extraction_job_id as job_id, min(c.id::text)::uuid as chunk_id,
                   min(d.id::text)::uuid as document_id
            from   kb.object_chunks oc
            join   kb.graph_objects v on v.id = oc.object_id
            join   kb.chunks c on c.id = oc.chunk_id
            join   kb.documents d on d.id = c.document_id and d.project_id = v.project_id
            where  v.project_id = any(@projects)
            and    (@includeDeleted or c.deleted_at is null)
            {reach.Evidence}
            group  by v.project_id, v.canonical_id, oc.extraction_job_id
            having count(distinct oc.chunk_id) = 1
        )
        """;

    /// <summary>
    /// <c>located</c>: current objects with their extraction, its order, and the chunk that it read with its document.
    /// </summary>
    public static readonly string Located = LocatedWithin(Reach.All);

    /// <summary><c>heads</c> of the objects <c>@canonicalIds</c> uuid[], at the cost of these.</summary>
    public static readonly string FewHeads = Heads(Reach.Few);

    /// <summary><c>located</c> of the objects <c>@canonicalIds</c> uuid[], at the cost of these.</summary>
    public static readonly string LocatedFew = LocatedWithin(Reach.Few);

    /// <summary><c>jobs</c> of the extractions <c>@jobIds</c> uuid[], at the cost of these; another part follows.</summary>
    public static readonly string FewJobs = Jobs(Reach.Named);

    /// <summary>Objects in the order of their extractions; those without a chunk close their extraction.</summary>
    public static readonly string Objects =
        $"""
        {Located}
        select job_id, chunk_id, canonical_id, verdict, type, key,
               case when verdict = 1 then properties else '{"{}"}'::jsonb end
        from   located
        order  by sort_key, job_id, chunk_id nulls last, canonical_id
        """;

    /// <summary>The text of each extraction and chunk that has an object, in the same order.</summary>
    public static readonly string Chunks =
        $"""
        {Located}
        select l.job_id, c.id, c.document_id, l.project_id, c.text
        from   (select distinct sort_key, job_id, chunk_id, project_id from located where chunk_id is not null) l
        join   kb.chunks c on c.id = l.chunk_id
        order  by l.sort_key, l.job_id, c.id
        """;

    /// <summary>
    /// Current relationships whose source is a verified object with a chunk, in the same order. An end is the id of some
    /// version or a canonical id, depending on which generation of the product wrote it. Materialized, because a planner
    /// with stale statistics otherwise joins all objects with all relationships of a project before it resolves the ends.
    /// </summary>
    public static readonly string Relationships =
        $"""
        {Located},
        current_relationships as materialized (
            select r.project_id, r.type, r.properties, r.canonical_id,
                   coalesce(s.canonical_id, r.src_id) as source_id, coalesce(t.canonical_id, r.dst_id) as target_id
            from   kb.graph_relationships r
            left   join kb.graph_objects s on s.id = r.src_id and s.project_id = r.project_id
            left   join kb.graph_objects t on t.id = r.dst_id and t.project_id = r.project_id
            where  r.project_id = any(@projects)
            and    r.branch_id is null
            and    r.deleted_at is null
            and    not exists (
                       select 1
                       from   kb.graph_relationships n
                       where  n.project_id = r.project_id
                       and    n.canonical_id = r.canonical_id
                       and    n.branch_id is null
                       and    (n.version, n.created_at, n.id) > (r.version, r.created_at, r.id))
        )
        select l.job_id, l.chunk_id, r.source_id, r.target_id, r.type, r.properties
        from   current_relationships r
        join   located l on l.project_id = r.project_id and l.canonical_id = r.source_id
        where  l.verdict = 1
        and    l.chunk_id is not null
        order  by l.sort_key, l.job_id, l.chunk_id, r.source_id, r.target_id, r.type, r.canonical_id
        """;

    private static string LocatedWithin(Reach reach) =>
        $"""
        with {Heads(reach)},
        {Jobs(reach)}
        {Evidence(reach)},
        located as (
            select h.project_id, h.canonical_id, h.type, h.key, h.properties, h.updated_at, h.is_rejected, h.is_reviewed,
                   h.confidence, h.job_id as named_job_id,
                   case
                       when h.is_rejected then 2
                       when h.is_reviewed then 1
                       when not @humanReviewedOnly and h.confidence >= @minConfidence - {Tolerance} then 1
                       else 3
                   end::smallint as verdict,
                   j.id as job_id, j.sort_key,
                   coalesce(j.named_chunk, e.chunk_id, j.source_chunk) as chunk_id,
                   coalesce(j.named_document, e.document_id, j.source_document) as document_id
            from   heads h
            left   join jobs j on j.id = h.job_id and j.project_id = h.project_id
            left   join evidence e
                   on j.named_chunk is null and e.job_id = j.id and e.canonical_id = h.canonical_id
                   and e.project_id = h.project_id
        )
        """;

    /// <summary>
    /// Where rows are looked for, which must not change what is found. For all objects each table is read once and hashed;
    /// for a few, row security would have the planner do the same, so that each step says by which keys it goes on.
    /// </summary>
    private sealed record Reach(string Objects, string Jobs, string Lateral, string Documents, string Evidence)
    {
        public static Reach All { get; } = new(
            Objects: "",
            Jobs: "",
            Lateral: "",
            Documents: "and c.document_id in (select s.source_document from sources s where s.chunk_id is null)",
            Evidence: "and oc.extraction_job_id in (select j.id from jobs j where j.named_chunk is null)");

        public static Reach Few { get; } = new(
            Objects: "and o.canonical_id = any(@canonicalIds)",
            Jobs: "and j.id = any(array(select h.job_id from heads h))",
            Lateral: "lateral",
            Documents: "and c.document_id = s.source_document and s.chunk_id is null",
            Evidence:
                """
                and oc.object_id = any(array(
                    select w.id from kb.graph_objects w where w.canonical_id = any(@canonicalIds)))
                """);

        public static Reach Named { get; } = Few with { Jobs = "and j.id = any(@jobIds)" };
    }
}
