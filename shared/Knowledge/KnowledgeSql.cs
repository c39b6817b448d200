namespace FeedbackLoop.Knowledge;

/// <summary>The parts that the readings of the knowledge base share, so that each rule stands once.</summary>
/// <remarks>
/// Parameters of all: <c>@projects</c> uuid[], <c>@minConfidence</c> float8, <c>@humanReviewedOnly</c> bool,
/// <c>@countOwnAcceptances</c> bool, <c>@acceptedStatuses</c> text[], <c>@includeDeleted</c> bool, <c>@seed</c> text.
/// What counts as verified stands in words in <c>docs/verified-data.md</c>.
/// </remarks>
internal static class KnowledgeSql
{
    /// <summary>Confidences are stored in single precision: 0.85 may come back as a little less.</summary>
    public const string Tolerance = "1e-6";

    private const string Verified = "1";
    private const string Rejected = "2";
    private const string Undecided = "3";
    private const string Deleted = "4";
    private const string Confirmation = "5";

    /// <summary>
    /// Whether the rows of one extraction and chunk say that there is nothing to find: all its objects were turned down by people,
    /// or a person has confirmed it and no object stands against that. Only where the extraction is completed and names the
    /// chunk itself, because an object that may be of this chunk or another one says nothing of either.
    /// </summary>
    public const string IsEmpty =
        """
        (bool_and(is_sourced)
                   and case when bool_or(is_confirmation) then bool_and(is_confirmation or is_rejected or not is_live)
                            else bool_and(is_refused) end)
        """;

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
    /// Whether the product has accepted a version of an object: its status says so, and no mark asks for a person.
    /// Parameter <c>@acceptedStatuses</c>.
    /// </summary>
    /// <param name="version">Alias of a row of <c>kb.graph_objects</c>.</param>
    public static string IsAccepted(string version) =>
        $"""
        (coalesce({version}.status = any(@acceptedStatuses), false) and not coalesce({version}.needs_review, false)
                   and not 'requires_review' = any({version}.labels))
        """;

    /// <summary>Whether a version of an object is turned down.</summary>
    /// <inheritdoc cref="IsAccepted" path="/param"/>
    public static string IsRejected(string version) => $"coalesce({version}.status = 'rejected', false)";

    /// <summary>The extraction that a version names: in the column, or in the properties, where the product's servers put it.</summary>
    private static string JobOf(string version) =>
        $"""
        coalesce(
                           {version}.extraction_job_id,
                           case when {version}.properties->>'_extraction_job_id' ~ '^[0-9a-fA-F]{"{8}"}(-[0-9a-fA-F]{"{4}"}){"{3}"}-[0-9a-fA-F]{"{12}"}$'
                                then ({version}.properties->>'_extraction_job_id')::uuid end)
        """;

    /// <summary>
    /// <c>heads</c>: the last versions of objects, deleted ones among them, with what decides their verdict; and one row for each
    /// extraction that a person has confirmed as empty, under the extraction's own id.
    /// </summary>
    /// <remarks>
    /// The extraction of an edited object may stand on an earlier version only, because an edit does not copy the columns. A
    /// person has decided when the row names a reviewer, or when a user wrote a version after the extraction's own: neither
    /// generation of the product names reviewers, and the column's default makes a user the author of what an extraction wrote.
    /// A confidence in the properties may be any number that JSON can write; it is bounded before it becomes a float8.
    /// </remarks>
    private static string Heads(Reach reach) =>
        $"""
        heads as (
            select h.project_id, h.canonical_id, h.type, h.key, h.properties, h.updated_at, h.job_id,
                   h.deleted_at is null as is_live, false as is_confirmation,
                   {IsRejected("h")} as is_rejected,
                   h.reviewed_by is not null
                   or case when h.job_id is null then coalesce(h.actor_type = 'user', false)
                           when h.version > 1 then exists (
                               select 1
                               from   kb.graph_objects v
                               where  v.project_id = h.project_id
                               and    v.canonical_id = h.canonical_id
                               and    v.branch_id is null
                               and    v.actor_type = 'user'
                               and    v.version > (
                                          select min(x.version)
                                          from   kb.graph_objects x
                                          where  x.project_id = h.project_id
                                          and    x.canonical_id = h.canonical_id
                                          and    x.branch_id is null
                                          and    {JobOf("x")} = h.job_id))
                           else false end as is_reviewed,
                   {IsAccepted("h")} as is_accepted,
                   {IsAccepted("h")} and exists (
                       select 1
                       from   ml.extraction_results r
                       where  r.job_id = h.job_id
                       and    r.project_id = h.project_id
                       and    r.answered_model_id is not null) as is_own,
                   coalesce(
                       h.extraction_confidence,
                       case when jsonb_typeof(h.properties->'_extraction_confidence') = 'number'
                            then least(greatest((h.properties->>'_extraction_confidence')::numeric, -1), 2)::float8 end)
                       as confidence
            from   (select o.project_id, o.canonical_id, o.version, o.type, o.key, o.status, o.properties, o.labels,
                           o.needs_review, o.reviewed_by, o.actor_type, o.extraction_confidence, o.updated_at,
                           o.deleted_at,
                           coalesce(
                               {JobOf("o")},
                               case when o.version > 1 then (
                                   select v.extraction_job_id
                                   from   kb.graph_objects v
                                   where  v.project_id = o.project_id
                                   and    v.canonical_id = o.canonical_id
                                   and    v.branch_id is null
                                   and    v.extraction_job_id is not null
                                   order  by v.version desc
                                   limit  1) end) as job_id
                    from   kb.graph_objects o
                    where  o.project_id = any(@projects)
                    and    o.branch_id is null
                    {reach.Objects}
                    and    {NotSuperseded}
                    offset 0) h  -- so that the extraction of an object is looked for once
            union  all
            select e.project_id, e.job_id, '', null, '{"{}"}', e.confirmed_at, e.job_id, false, true, false, false, false, false,
                   null
            from   ml.confirmed_empty e
            where  e.project_id = any(@projects)
            {reach.Confirmations}
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
                           j.source_type, j.document_id, j.status in ('completed', 'requires_review') as is_completed
                    from   kb.object_extraction_jobs j
                    where  j.project_id = any(@projects)
                    {reach.Jobs}) i
        ),
        jobs as materialized (
            select s.id, s.project_id, named.id as named_chunk, named.document_id as named_document,
                   coalesce(source.id, only_chunk.id) as source_chunk,
                   coalesce(source.document_id, only_chunk.document_id) as source_document, s.is_completed,
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
    /// <c>located</c>: what <c>heads</c> has, with the extraction, its order, and the chunk that it read with its document.
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
               case when verdict = {Verified} then properties else '{"{}"}'::jsonb end, is_refused, is_sourced
        from   located
        order  by sort_key, job_id, chunk_id nulls last, canonical_id
        """;

    /// <summary>Whether an extraction has an object that nobody has rejected: its text is not empty, whatever another one says.</summary>
    public const string IsHeld = "bool_or(is_live and not is_rejected)";

    /// <summary>
    /// By document: extractions with something verified in which enough is decided, those that are verified to be empty, and
    /// those that would be if another extraction of the same chunk had found nothing. Whether an example comes of them, their
    /// texts decide. Parameter <c>@maxUndecidedShare</c> float8.
    /// </summary>
    public static readonly string Contents =
        $"""
        {Located},
        extractions as (
            select job_id, document_id, {IsEmpty} as is_empty,
                   bool_or({IsHeld}) over (partition by chunk_id) as is_contradicted,
                   bool_or(verdict = {Verified})
                   and count(*) filter (where verdict = {Undecided})
                       <= @maxUndecidedShare * count(*) filter (where is_live) as has_content
            from   located
            where  chunk_id is not null
            group  by job_id, chunk_id, document_id
        )
        select document_id, count(*) filter (where has_content) as with_content,
               coalesce(array_agg(job_id) filter (where is_empty and not is_contradicted), '{"{}"}') as empty_jobs,
               coalesce(array_agg(job_id) filter (where is_empty and is_contradicted), '{"{}"}') as contradicted_jobs
        from   extractions
        where  has_content
        or     is_empty
        group  by document_id
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
        where  l.verdict = {Verified}
        and    l.chunk_id is not null
        order  by l.sort_key, l.job_id, l.chunk_id, r.source_id, r.target_id, r.type, r.canonical_id
        """;

    private static string LocatedWithin(Reach reach) =>
        $"""
        with {Heads(reach)},
        {Jobs(reach)}
        {Evidence(reach)},
        located as (
            select h.project_id, h.canonical_id, h.type, h.key, h.properties, h.updated_at, h.is_live, h.is_confirmation,
                   h.is_rejected, h.is_reviewed, h.is_rejected and h.is_reviewed as is_refused, h.is_accepted, h.is_own,
                   h.confidence, h.job_id as named_job_id,
                   case
                       when h.is_confirmation then {Confirmation}
                       when not h.is_live then {Deleted}
                       when h.is_rejected then {Rejected}
                       when h.is_reviewed then {Verified}
                       when h.is_accepted and not @humanReviewedOnly and (@countOwnAcceptances or not h.is_own)
                            and h.confidence >= @minConfidence - {Tolerance} then {Verified}
                       else {Undecided}
                   end::smallint as verdict,
                   j.id as job_id, j.sort_key,
                   coalesce(j.is_completed and coalesce(j.named_chunk, j.source_chunk) is not null, false) as is_sourced,
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
    private sealed record Reach(
        string Objects, string Confirmations, string Jobs, string Lateral, string Documents, string Evidence)
    {
        public static Reach All { get; } = new(
            Objects: "",
            Confirmations: "",
            Jobs: "",
            Lateral: "",
            Documents: "and c.document_id in (select s.source_document from sources s where s.chunk_id is null)",
            Evidence: "and oc.extraction_job_id in (select j.id from jobs j where j.named_chunk is null)");

        public static Reach Few { get; } = new(
            Objects: "and o.canonical_id = any(@canonicalIds)",
            Confirmations: "and e.job_id = any(@canonicalIds)",
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
