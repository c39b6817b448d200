using Dapper;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Metrics;

/// <summary>What a row of counts is about.</summary>
internal enum MetricsLevel
{
    Model = 8,
    TierAndBaseModel = 10,
    Tier = 11,
    Total = 15,
}

/// <summary>Sums over the extractions of a scope and period, as a whole or of one bucket.</summary>
/// <param name="Level">A <see cref="MetricsLevel"/>; 8 less in a row of one bucket.</param>
/// <param name="Bucket">Null: of the whole period.</param>
/// <param name="Stored">Objects that the answers had.</param>
/// <param name="NeedsReview">Of <paramref name="NeedsReviewOf"/>.</param>
/// <param name="EmptyTexts">Extractions in whose text nothing is to be found.</param>
/// <param name="TextsWithInventions">Those of them that found something.</param>
/// <param name="Invented">Objects that they found.</param>
internal sealed record MetricsRow(
    int Level, DateOnly? Bucket, string? Tier, Guid? ModelId, Guid? ProjectId, int? Version, string? BaseModel,
    long Extractions, long Fallbacks, long Invalid, long Repaired, long InputTokens, long OutputTokens, long Stored,
    long Accepted, long Corrected, long Rejected, long AcceptedWithoutReview, long RejectedWithoutReview, long Undecided,
    long TypeChanges, long NameChanges, long DescriptionChanges, long PropertyChanges, long KeyChanges, long NeedsReview,
    long NeedsReviewOf, long Models, long EmptyTexts, long TextsWithInventions, long Invented);

/// <param name="Tier">Null: of all.</param>
/// <param name="ModelKey">Null: of the tier.</param>
internal sealed record LatencyRow(string? Tier, string? ModelKey, int P50Ms, int P95Ms);

/// <summary>Every statement that brings <c>ml.extraction_results</c> and what became of their objects together.</summary>
/// <remarks>
/// An object is as the model gave it in its first version, which our worker writes with the extraction's id; edits copy that
/// id or leave it out. It is now what its current version says: the highest outside branches, and only then "not deleted".
/// </remarks>
public static class MetricsQueries
{
    /// <summary>Models that are listed one by one.</summary>
    public const int MostModels = 50;

    /// <summary>
    /// <c>results</c>: the extractions that count. A base model is known by its name, as a tuned one by its id; what older
    /// rows lack, the registry may know. Not materialized, so that the joins below can be made by several processes.
    /// </summary>
    private const string Results =
        """
        results as not materialized (
            select r.job_id, r.project_id, r.answered_tier as tier,
                   coalesce(r.answered_model_id::text, r.base_model, '') as model_key,
                   r.answered_model_id as model_id,
                   case when r.answered_tier = 'project' then r.project_id end as model_project_id,
                   coalesce(r.answered_version, m.version) as version,
                   coalesce(r.base_model, m.base_model) as base_model,
                   date_trunc(@bucket, r.created_at at time zone 'UTC')::date as bucket,
                   (r.chosen_tier, r.chosen_model_id) is distinct from (r.answered_tier, r.answered_model_id) as is_fallback,
                   r.is_valid, r.is_repaired, r.latency_ms, r.input_tokens, r.output_tokens, r.entity_count,
                   r.needs_review_count
            from   ml.extraction_results r
            left   join ml.fine_tuned_models m
                   on m.id = r.answered_model_id and m.organization_id = r.organization_id
            where  r.organization_id = @organizationId
            and    r.project_id = any(@projects)
            and    r.created_at >= @since
            and    r.created_at < @until
        )
        """;

    /// <summary>
    /// <c>edited</c>: the last of an object's later versions, and what it says that the first did not. Few objects have one, so
    /// that only these are compared. Properties are those that an example takes: without name, description and what the
    /// product keeps for itself.
    /// </summary>
    private static readonly string Edited =
        $"""
        edited as not materialized (
            select l.project_id, l.canonical_id, {StateOf("l")},
                   exists (select 1
                           from   kb.graph_objects u
                           where  u.project_id = l.project_id
                           and    u.canonical_id = l.canonical_id
                           and    u.branch_id is null
                           and    u.version > 1
                           and    u.actor_type = 'user') as is_by_user,
                   l.type <> f.type as type_changed,
                   coalesce(l.properties->>'name', '') <> coalesce(f.properties->>'name', '') as name_changed,
                   coalesce(l.properties->>'description', '') <> coalesce(f.properties->>'description', '')
                       as description_changed,
                   l.properties <> f.properties and {PropertiesOf("l")} <> {PropertiesOf("f")} as properties_changed,
                   coalesce(l.key, l.properties->>'business_key', '') <> coalesce(f.key, f.properties->>'business_key', '')
                       as key_changed
            from   kb.graph_objects l
            join   kb.graph_objects f
                   on f.project_id = l.project_id and f.canonical_id = l.canonical_id and f.version = 1
                   and f.branch_id is null
            where  l.project_id = any(@projects)
            and    l.branch_id is null
            and    l.version > 1
            and    not exists (
                       select 1
                       from   kb.graph_objects n
                       where  n.project_id = l.project_id
                       and    n.canonical_id = l.canonical_id
                       and    n.branch_id is null
                       and    n.version > 1
                       and    (n.version, n.created_at, n.id) > (l.version, l.created_at, l.id))
        )
        """;

    /// <summary>
    /// <c>objects</c>: one row for each object, with what became of it. A person has decided when the row names a reviewer, or when
    /// a user wrote a version after the extraction's own, which is the first; see <c>docs/verified-data.md</c>.
    /// </summary>
    private static readonly string Objects =
        $"""
        objects as not materialized (
            select o.*, o.is_reviewed or o.is_by_user as is_decided,
                   o.type_changed or o.name_changed or o.description_changed or o.properties_changed or o.key_changed
                       as is_changed
            from   (select v.tier, v.model_key, v.bucket, v.job_id, v.is_counted_here, v.needed_review,
                           coalesce(e.is_out, v.is_out) as is_out, coalesce(e.is_reviewed, v.is_reviewed) as is_reviewed,
                           coalesce(e.is_accepted, v.is_accepted) as is_accepted,
                           coalesce(e.is_by_user, false) as is_by_user, coalesce(e.type_changed, false) as type_changed,
                           coalesce(e.name_changed, false) as name_changed,
                           coalesce(e.description_changed, false) as description_changed,
                           coalesce(e.properties_changed, false) as properties_changed,
                           coalesce(e.key_changed, false) as key_changed
                    from   (select r.tier, r.model_key, r.bucket, r.job_id, v.project_id, v.canonical_id, {StateOf("v")},
                                   r.needs_review_count is null as is_counted_here,
                                   v.needs_review or 'requires_review' = any(v.labels) as needed_review
                            from   results r
                            join   kb.graph_objects v
                                   on v.extraction_job_id = r.job_id and v.project_id = r.project_id
                            where  v.project_id = any(@projects)
                            and    v.version = 1
                            and    v.branch_id is null) v
                    left   join edited e on e.canonical_id = v.canonical_id and e.project_id = v.project_id) o
        )
        """;

    /// <summary>
    /// Advice for the planner until the end of the transaction. The product's row security hides what it knows of the tables:
    /// it expects a hundredth of the rows, and would sort and look up by hundreds of thousands.
    /// </summary>
    /// <param name="isLong">Of a long period most objects are asked for, and reading them all is the shorter way.</param>
    internal static Task AdvisePlannerAsync(
        this NpgsqlConnection db, bool isLong, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select set_config('jit', 'off', true), set_config('random_page_cost', '1.1', true),
                   set_config('enable_sort', 'off', true), set_config('enable_nestloop', @nestedLoops, true)
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { nestedLoops = isLong ? "off" : "on" }, cancellationToken));
    }

    /// <summary>The projects of a scope, deleted ones among them: what they extracted was extracted.</summary>
    internal static async Task<Guid[]> ListMeasuredProjectsAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id
            from   kb.projects
            where  organization_id = @OrganizationId
            and    (@ProjectId::uuid is null or id = @ProjectId)
            """;

        return [.. await db.QueryAsync<Guid>(Sql.Command(sql, scope, cancellationToken))];
    }

    /// <summary>
    /// The sums of the whole scope, of each tier, of each tier's base models, and of the models that answered most; those but
    /// the base models' also by bucket. No rows when nothing was extracted.
    /// </summary>
    /// <param name="projects">Of <see cref="ListMeasuredProjectsAsync"/>.</param>
    /// <param name="shownProjects">Whose models may be listed; null: all.</param>
    internal static async Task<IReadOnlyList<MetricsRow>> ReadMetricsAsync(
        this NpgsqlConnection db, Guid organizationId, Guid[] projects, Guid[]? shownProjects, MetricsPeriod period,
        VerificationOptions verification, CancellationToken cancellationToken)
    {
        // Extractions and their objects are counted apart, and come together when there are only cells left of them.
        var sql =
            $"""
            with {Results},
            {Edited},
            {Objects},
            usage as (
                select tier, model_key, bucket, min(model_id::text)::uuid as model_id,
                       min(model_project_id::text)::uuid as model_project_id, min(version) as version,
                       min(base_model) as base_model, count(*) as extractions,
                       count(*) filter (where is_fallback) as fallbacks, count(*) filter (where not is_valid) as invalid,
                       count(*) filter (where is_repaired) as repaired, sum(input_tokens) as input_tokens,
                       sum(output_tokens) as output_tokens, sum(entity_count) as stored,
                       coalesce(sum(needs_review_count), 0) as needs_review,
                       coalesce(sum(entity_count) filter (where needs_review_count is not null), 0) as needs_review_of
                from   results
                group  by tier, model_key, bucket
            ),
            by_extraction as (
                select tier, model_key, bucket, job_id, count(*) as objects, count(*) filter (where is_out) as objects_out,
                       count(*) filter (where is_decided and not is_out and not is_changed) as accepted,
                       count(*) filter (where is_decided and not is_out and is_changed) as corrected,
                       count(*) filter (where is_decided and is_out) as rejected,
                       count(*) filter (where not is_decided and not is_out and is_accepted) as accepted_without_review,
                       count(*) filter (where not is_decided and is_out) as rejected_without_review,
                       count(*) filter (where not is_decided and not is_out and not is_accepted) as undecided,
                       count(*) filter (where is_decided and not is_out and type_changed) as type_changes,
                       count(*) filter (where is_decided and not is_out and name_changed) as name_changes,
                       count(*) filter (where is_decided and not is_out and description_changed) as description_changes,
                       count(*) filter (where is_decided and not is_out and properties_changed) as property_changes,
                       count(*) filter (where is_decided and not is_out and key_changed) as key_changes,
                       count(*) filter (where is_counted_here and needed_review) as needs_review,
                       count(*) filter (where is_counted_here) as needs_review_of
                from   objects
                group  by tier, model_key, bucket, job_id
            ),
            outcomes as (
                select tier, model_key, bucket, {SumsOfOutcomes}
                from   by_extraction
                group  by tier, model_key, bucket
            ),
            empty_texts as (
                select r.tier, r.model_key, r.bucket, count(*) as empty_texts,
                       count(*) filter (where e.objects > 0) as texts_with_inventions, coalesce(sum(e.objects), 0) as invented
                from   results r
                left   join by_extraction e using (tier, model_key, bucket, job_id)
                where  e.rejected = e.objects
                or     coalesce(e.objects_out = e.objects, true)
                       and exists (select 1
                                   from   ml.confirmed_empty c
                                   where  c.job_id = r.job_id
                                   and    c.organization_id = @organizationId)
                group  by r.tier, r.model_key, r.bucket
            ),
            models as (
                select tier, model_key, row_number() over (
                           order by is_shown desc, extractions desc, tier, model_key) as place, is_shown
                from   (select tier, model_key, sum(extractions) as extractions,
                               @shownProjects::uuid[] is null or min(model_project_id::text) is null
                               or min(model_project_id::text)::uuid = any(@shownProjects) as is_shown
                        from   usage
                        group  by tier, model_key) m
            ),
            cells as (
                select u.*, m.is_shown and m.place <= @mostModels as is_listed, o.accepted, o.corrected, o.rejected,
                       o.accepted_without_review, o.rejected_without_review, o.undecided, o.type_changes, o.name_changes,
                       o.description_changes, o.property_changes, o.key_changes, o.needs_review as needs_review_seen,
                       o.needs_review_of as needs_review_seen_of, t.empty_texts, t.texts_with_inventions, t.invented
                from   usage u
                join   models m using (tier, model_key)
                left   join outcomes o using (tier, model_key, bucket)
                left   join empty_texts t using (tier, model_key, bucket)
            )
            select grouping(bucket, tier, model_key, base_model) as Level, bucket as Bucket, tier as Tier,
                   case when grouping(model_key) = 0 then min(model_id::text)::uuid end as ModelId,
                   case when grouping(model_key) = 0 then min(model_project_id::text)::uuid end as ProjectId,
                   case when grouping(model_key) = 0 then min(version) end as Version, base_model as BaseModel,
                   {Sum("extractions")}, {Sum("fallbacks")}, {Sum("invalid")}, {Sum("repaired")},
                   {Sum("input_tokens")}, {Sum("output_tokens")}, {Sum("stored")}, {Sum("accepted")}, {Sum("corrected")},
                   {Sum("rejected")}, {Sum("accepted_without_review")}, {Sum("rejected_without_review")},
                   {Sum("undecided")}, {Sum("type_changes")}, {Sum("name_changes")}, {Sum("description_changes")},
                   {Sum("property_changes")}, {Sum("key_changes")},
                   coalesce(sum(needs_review + coalesce(needs_review_seen, 0)), 0)::bigint as NeedsReview,
                   coalesce(sum(needs_review_of + coalesce(needs_review_seen_of, 0)), 0)::bigint as NeedsReviewOf,
                   (select count(*) from models) as Models, {Sum("empty_texts")}, {Sum("texts_with_inventions")},
                   {Sum("invented")}
            from   cells
            group  by grouping sets (
                       (), (tier), (tier, base_model), (tier, model_key, base_model, is_listed),
                       (bucket), (bucket, tier), (bucket, tier, model_key, base_model, is_listed))
            having (grouping(model_key) = 1 or is_listed) and count(*) > 0
            """;

        var args = new
        {
            organizationId,
            projects,
            shownProjects,
            bucket = period.Bucket,
            since = period.Since,
            until = period.Until,
            mostModels = MostModels,
            acceptedStatuses = verification.Statuses.ToArray(),
        };
        return [.. await db.QueryAsync<MetricsRow>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>The median and the 95th percentile (nearest rank) of all, of each tier and of each model.</summary>
    internal static async Task<IReadOnlyList<LatencyRow>> ReadLatenciesAsync(
        this NpgsqlConnection db, Guid organizationId, Guid[] projects, MetricsPeriod period,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with {Results}
            select tier as Tier, model_key as ModelKey,
                   percentile_disc(0.5) within group (order by latency_ms) as P50Ms,
                   percentile_disc(0.95) within group (order by latency_ms) as P95Ms
            from   results
            group  by grouping sets ((), (tier), (tier, model_key))
            having count(*) > 0
            """;

        var args = new { organizationId, projects, bucket = period.Bucket, since = period.Since, until = period.Until };
        return [.. await db.QueryAsync<LatencyRow>(Sql.Command(sql, args, cancellationToken))];
    }

    private static readonly string SumsOfOutcomes = string.Join(
        ", ",
        new[]
        {
            "accepted", "corrected", "rejected", "accepted_without_review", "rejected_without_review", "undecided", "type_changes",
            "name_changes", "description_changes", "property_changes", "key_changes", "needs_review", "needs_review_of",
        }.Select(column => $"sum({column}) as {column}"));

    private static string Sum(string column) => $"coalesce(sum({column}), 0)::bigint as {column}";

    private static string StateOf(string version) =>
        $"""
        {version}.deleted_at is not null or {KnowledgeSql.IsRejected(version)} as is_out,
                   {version}.reviewed_by is not null as is_reviewed,
                   {KnowledgeSql.IsAccepted(version)} as is_accepted
        """;

    private static string PropertiesOf(string version) =>
        $"""
        coalesce(
                       (select jsonb_object_agg(p.key, p.value)
                        from   jsonb_each({version}.properties) p
                        where  p.key not in ('name', 'description', 'business_key')
                        and    not starts_with(p.key, '_')), '{"{}"}')
        """;
}
