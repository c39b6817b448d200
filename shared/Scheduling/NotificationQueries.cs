using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>Something that the admins of a scope are told in the product.</summary>
/// <param name="Severity"><c>info</c> or <c>warning</c>.</param>
/// <param name="RunId">What it is about; a model has the id of its run.</param>
public sealed record AdminNotice(Scope Scope, string Title, string Message, string Severity, RunId RunId);

/// <summary>Every statement that touches <c>kb.notifications</c>.</summary>
public static class NotificationQueries
{
    // One row for each person: a project's notice goes to its admins, an organization's to the organization's.
    private const string Insert =
        """
        insert into kb.notifications (
            project_id, user_id, title, message, type, severity, related_resource_type, related_resource_id, importance,
            category, source_type, source_id, group_key, created_at, updated_at)
        """;

    /// <summary>Tells the admins of each notice's own scope.</summary>
    public static Task NotifyAdminsAsync(
        this NpgsqlConnection db, IReadOnlyList<AdminNotice> notices, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            {Insert}
            select n.project_id, a.user_id, n.title, n.message, 'training', n.severity, 'training_run', n.run_id,
                   'important', 'training', 'training_run', n.run_id::text, 'training:' || n.run_id, @now, @now
            from   unnest(@organizations, @projects, @titles, @messages, @severities, @runs)
                   as n (organization_id, project_id, title, message, severity, run_id)
            join   lateral (
                       select m.user_id
                       from   kb.project_memberships m
                       where  m.project_id = n.project_id
                       and    m.role = 'project_admin'
                       union  all
                       select m.user_id
                       from   kb.organization_memberships m
                       where  n.project_id is null
                       and    m.organization_id = n.organization_id
                       and    m.role = 'org_admin') a on true
            """;

        var args = new
        {
            organizations = notices.Select(notice => notice.Scope.OrganizationId).ToArray(),
            projects = notices.Select(notice => notice.Scope.ProjectId).ToArray(),
            titles = notices.Select(notice => notice.Title).ToArray(),
            messages = notices.Select(notice => notice.Message).ToArray(),
            severities = notices.Select(notice => notice.Severity).ToArray(),
            runs = notices.Select(notice => notice.RunId.Value).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Tells the admins of all live projects of an organization, one notice for each project.</summary>
    /// <returns>How many notices were written.</returns>
    public static Task<int> NotifyProjectAdminsAsync(
        this NpgsqlConnection db, AdminNotice notice, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            {Insert}
            select p.id, m.user_id, @Title, @Message, 'training', @Severity, 'training_run', @RunId,
                   'important', 'training', 'training_run', @RunId::uuid::text, 'training:' || @RunId::uuid, @now, @now
            from   kb.projects p
            join   kb.project_memberships m on m.project_id = p.id and m.role = 'project_admin'
            where  p.organization_id = @OrganizationId
            and    p.deleted_at is null
            order  by p.id, m.user_id
            """;

        var args = new
        {
            notice.Title,
            notice.Message,
            notice.Severity,
            RunId = notice.RunId.Value,
            notice.Scope.OrganizationId,
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
