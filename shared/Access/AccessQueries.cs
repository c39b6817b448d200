using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Access;

/// <summary>Every statement that asks who a person is and where they belong.</summary>
public static class AccessQueries
{
    /// <summary>A person with all memberships, by one statement.</summary>
    /// <param name="subject">The token's <c>sub</c>; the product keeps it as <c>zitadel_user_id</c>.</param>
    /// <returns>Null when the product does not know the subject or has deleted the person.</returns>
    public static async Task<Person?> FindPersonAsync(
        this NpgsqlConnection db, string subject, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select p.id,
                   coalesce(
                       nullif(p.display_name, ''),
                       nullif(concat_ws(' ', p.first_name, p.last_name), ''),
                       p.zitadel_user_id) as display_name,
                   m.organization_id,
                   m.project_id,
                   m.role
            from   core.user_profiles p
            left   join lateral (
                select om.organization_id, null::uuid as project_id, om.role
                from   kb.organization_memberships om
                join   kb.orgs o on o.id = om.organization_id and o.deleted_at is null
                where  om.user_id = p.id
                union  all
                select pr.organization_id, pm.project_id, pm.role
                from   kb.project_memberships pm
                join   kb.projects pr on pr.id = pm.project_id and pr.deleted_at is null
                join   kb.orgs o on o.id = pr.organization_id and o.deleted_at is null
                where  pm.user_id = p.id) m on true
            where  p.zitadel_user_id = @subject
            and    p.deleted_at is null
            order  by m.project_id is not null, m.organization_id, m.project_id
            """;

        var rows = (await db.QueryAsync<PersonRow>(Sql.Command(sql, new { subject }, cancellationToken))).AsList();
        return rows is [var person, ..]
            ? new Person(person.Id, subject, person.DisplayName, [.. rows.SelectMany(MembershipOf)])
            : null;
    }

    // A person without any membership is one row of nulls.
    private static IEnumerable<Membership> MembershipOf(PersonRow row) =>
        row is { OrganizationId: { } organization, Role: { } role }
            ? [new Membership(organization, row.ProjectId, role)]
            : [];

    private sealed record PersonRow(Guid Id, string DisplayName, Guid? OrganizationId, Guid? ProjectId, string? Role);
}
