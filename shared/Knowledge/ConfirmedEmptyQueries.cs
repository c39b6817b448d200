using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>Who said that an extraction's text holds nothing, and when.</summary>
public sealed record EmptyConfirmation(Guid JobId, string ConfirmedBy, DateTimeOffset ConfirmedAt);

/// <summary>What came of confirming that a text holds nothing.</summary>
public abstract record ConfirmEmptyOutcome
{
    private ConfirmEmptyOutcome()
    {
    }

    /// <param name="IsNew">False: it was confirmed before, by whom the row says.</param>
    public sealed record Confirmed(EmptyConfirmation Row, bool IsNew) : ConfirmEmptyOutcome;

    /// <param name="Reason">A sentence.</param>
    /// <param name="OpenObjects">Objects of the extraction that are not rejected.</param>
    public sealed record Refused(string Reason, string Status, long OpenObjects) : ConfirmEmptyOutcome;
}

/// <summary>Every statement that touches <c>ml.confirmed_empty</c>, except those that read training data and metrics.</summary>
public static class ConfirmedEmptyQueries
{
    /// <summary>The project of an extraction.</summary>
    /// <returns>Null when there is no such extraction, or its project is deleted.</returns>
    public static async Task<Scope?> FindExtractionScopeAsync(
        this NpgsqlConnection db, Guid jobId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select p.organization_id, p.id
            from   kb.object_extraction_jobs j
            join   kb.projects p on p.id = j.project_id and p.deleted_at is null
            where  j.id = @jobId
            """;

        var found = await db.QueryAsync<(Guid OrganizationId, Guid ProjectId)>(
            Sql.Command(sql, new { jobId }, cancellationToken));
        return found.AsList() is [var (organization, project)] ? new Scope(organization, project) : null;
    }

    /// <summary>Records, once, that a person found nothing to find in an extraction's text; audited.</summary>
    /// <param name="scope">Of <see cref="FindExtractionScopeAsync"/>.</param>
    /// <param name="reason">For the audit log.</param>
    public static async Task<ConfirmEmptyOutcome> ConfirmEmptyAsync(
        this NpgsqlConnection db, Scope scope, Guid jobId, string actor, string? reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string add =
            """
            insert into ml.confirmed_empty (job_id, organization_id, project_id, confirmed_by, confirmed_at)
            values (@jobId, @OrganizationId, @ProjectId, @actor, @now)
            on     conflict (job_id) do nothing
            """;
        const string find =
            """
            select job_id, confirmed_by, confirmed_at from ml.confirmed_empty where job_id = @jobId
            """;

        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var facts = await db.ReadConfirmedEmptyFactsAsync(scope, jobId, cancellationToken);
        if (ConfirmedEmptyRule.Check(facts) is { } refusal)
        {
            return new ConfirmEmptyOutcome.Refused(refusal, facts.Status, facts.OpenObjects);
        }

        var args = new { jobId, scope.OrganizationId, scope.ProjectId, actor, now };
        var isNew = await db.ExecuteAsync(Sql.Command(add, args, cancellationToken)) == 1;
        if (isNew)
        {
            await db.AddAuditEntryAsync(
                scope, actor, "confirm-empty", $"extraction {jobId}", reason, now, cancellationToken);
        }

        var row = await db.QuerySingleAsync<EmptyConfirmation>(Sql.Command(find, args, cancellationToken));
        await tx.CommitAsync(cancellationToken);
        return new ConfirmEmptyOutcome.Confirmed(row, isNew);
    }

    /// <summary>Takes the confirmation back; audited.</summary>
    /// <returns>False when there was none.</returns>
    public static async Task<bool> WithdrawEmptyAsync(
        this NpgsqlConnection db, Scope scope, Guid jobId, string actor, string? reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.confirmed_empty where job_id = @jobId and project_id = @ProjectId
            """;

        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (await db.ExecuteAsync(Sql.Command(sql, new { jobId, scope.ProjectId }, cancellationToken)) == 0)
        {
            return false;
        }

        await db.AddAuditEntryAsync(scope, actor, "withdraw-empty", $"extraction {jobId}", reason, now, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Removes what was confirmed of extractions that the product has deleted.</summary>
    public static Task<int> ForgetGoneConfirmationsAsync(this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.confirmed_empty c
            where  not exists (select 1 from kb.object_extraction_jobs j where j.id = c.job_id)
            """;

        return db.ExecuteAsync(Sql.Command(sql, null, cancellationToken));
    }

    /// <summary>
    /// What an import declares as annotated. Without an entry in the audit log for each: the import itself is the decision.
    /// </summary>
    internal static Task InsertConfirmedEmptyAsync(
        this NpgsqlConnection db, Guid organizationId,
        IReadOnlyList<(Guid JobId, Guid ProjectId, string ConfirmedBy)> rows, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.confirmed_empty (job_id, organization_id, project_id, confirmed_by, confirmed_at)
            select r.job_id, @organizationId, r.project_id, r.confirmed_by, @now
            from   unnest(@jobIds, @projectIds, @confirmedBy) as r (job_id, project_id, confirmed_by)
            on     conflict (job_id) do nothing
            """;

        var args = new
        {
            organizationId,
            jobIds = rows.Select(row => row.JobId).ToArray(),
            projectIds = rows.Select(row => row.ProjectId).ToArray(),
            confirmedBy = rows.Select(row => row.ConfirmedBy).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    // By the same parts as the reading of training data: what is confirmed here can be read there.
    private static async Task<ConfirmedEmptyFacts> ReadConfirmedEmptyFactsAsync(
        this NpgsqlConnection db, Scope scope, Guid jobId, CancellationToken cancellationToken)
    {
        const string bind = "select set_config('app.current_project_id', @projectId, true)";

        // An edit keeps the extraction's id in the properties only; there is no index to it, and one project to look through.
        const string candidates =
            """
            select canonical_id
            from   kb.graph_objects
            where  extraction_job_id = @jobId
            and    project_id = @ProjectId
            union
            select canonical_id
            from   kb.graph_objects
            where  project_id = @ProjectId
            and    lower(properties->>'_extraction_job_id') = @jobId::text
            """;
        var sql =
            $"""
            with {KnowledgeSql.FewJobs}
            {KnowledgeSql.FewHeads}
            select j.status,
                   coalesce(n.named_chunk, n.source_chunk) is not null as has_chunk,
                   (select count(*) from heads h where h.job_id = j.id and h.is_live and not h.is_rejected)
                       as open_objects
            from   kb.object_extraction_jobs j
            left   join jobs n on n.id = j.id
            where  j.id = @jobId
            """;

        await db.ExecuteAsync(Sql.Command(bind, new { projectId = $"{scope.ProjectId}" }, cancellationToken));
        var objects = await db.QueryAsync<Guid>(
            Sql.Command(candidates, new { jobId, scope.ProjectId }, cancellationToken));
        var args = new
        {
            jobId,
            jobIds = new[] { jobId },
            projects = new[] { scope.ProjectId!.Value }, // of an extraction
            canonicalIds = objects.ToArray(),
            acceptedStatuses = Array.Empty<string>(), // nothing is asked of acceptances
            includeDeleted = true,
            seed = "",
        };
        return await db.QuerySingleAsync<ConfirmedEmptyFacts>(Sql.Command(sql, args, cancellationToken));
    }
}
