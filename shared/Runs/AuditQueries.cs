using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>Every statement that touches <c>ml.audit_log</c>: who did what, and why.</summary>
public static class AuditQueries
{
    /// <param name="action">Verb in kebab-case, such as <c>start-training</c>.</param>
    /// <param name="subject">What it was done to, such as <c>run 0190…</c>.</param>
    public static Task AddAuditEntryAsync(
        this NpgsqlConnection db, Scope scope, string actor, string action, string subject, string? reason,
        DateTimeOffset now, CancellationToken cancellationToken) =>
        db.AddAuditEntryAsync(
            scope, actor, action, subject, reason, parametersJson: null, now, cancellationToken);

    /// <param name="action">Verb in kebab-case, such as <c>start-training</c>.</param>
    /// <param name="subject">What it was done to, such as <c>run 0190…</c>.</param>
    /// <param name="parametersJson">What was asked for, without text of the data; null: the action says it all.</param>
    public static Task AddAuditEntryAsync(
        this NpgsqlConnection db, Scope scope, string actor, string action, string subject, string? reason,
        string? parametersJson, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.audit_log (organization_id, project_id, actor, action, subject, reason, parameters, at)
            values (@OrganizationId, @ProjectId, @actor, @action, @subject, @reason, @parametersJson::jsonb, @now)
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, actor, action, subject, reason, parametersJson, now };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>An entry for each run that a schedule started.</summary>
    public static Task AddStartEntriesAsync(
        this NpgsqlConnection db, IReadOnlyList<ScheduledRun> runs, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.audit_log (organization_id, project_id, actor, action, subject, reason, parameters, at)
            select organization_id, project_id, actor, 'start-training', subject, reason, parameters::jsonb, @now
            from   unnest(@organizations, @projects, @actors, @subjects, @reasons, @parameters)
                   as w (organization_id, project_id, actor, subject, reason, parameters)
            """;

        var args = new
        {
            organizations = runs.Select(run => run.Scope.OrganizationId).ToArray(),
            projects = runs.Select(run => run.Scope.ProjectId).ToArray(),
            actors = runs.Select(run => run.RequestedBy).ToArray(),
            subjects = runs.Select(run => $"run {run.Id}").ToArray(),
            reasons = runs.Select(run => run.Reason).ToArray(),
            parameters = runs.Select(run => run.Parameters.ToJson()).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
