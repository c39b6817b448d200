using FeedbackLoop.Local.Identity;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>The people of a local installation: one of each kind, so that a login shows what each may do.</summary>
public static class LocalPeople
{
    public const string OrganizationAdmin = "local-organization-admin";
    public const string ProjectAdmin = "local-project-admin";
    public const string Member = "local-member";

    /// <summary>Admin of another organization, with a project of its own: sees nothing of the others.</summary>
    public const string Outsider = "local-outsider";

    /// <summary>
    /// Adds those who are missing, with their places in every organization and project that there is now. Who is there already
    /// stays as they are, so that a membership that was changed by hand lasts.
    /// </summary>
    public static async Task AddMissingAsync(string connectionString, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with people as (
                insert into core.user_profiles (zitadel_user_id, display_name)
                values ($1, 'Olivia Organization-Admin'),
                       ($2, 'Paul Project-Admin'),
                       ($3, 'Mia Member'),
                       ($4, 'Otto Outsider')
                on     conflict (zitadel_user_id) do nothing
                returning id, zitadel_user_id as subject),
            other_organization as (
                insert into kb.orgs (name)
                select 'Elsewhere'
                from   people
                where  subject = $4
                returning id),
            other_project as (
                insert into kb.projects (organization_id, name)
                select id, 'elsewhere'
                from   other_organization),
            admins as (
                insert into kb.organization_memberships (organization_id, user_id, role)
                select o.id, p.id, 'org_admin'
                from   people p
                join   kb.orgs o on o.deleted_at is null
                where  p.subject = $1
                union  all
                select o.id, p.id, 'org_admin'
                from   people p, other_organization o
                where  p.subject = $4)
            insert into kb.project_memberships (project_id, user_id, role)
            select pr.id, p.id, case p.subject when $2 then 'project_admin' else 'project_viewer' end
            from   people p
            join   kb.projects pr on pr.deleted_at is null
            where  p.subject in ($2, $3)
            """;

        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand(sql);
        foreach (var subject in (string[])[OrganizationAdmin, ProjectAdmin, Member, Outsider])
        {
            command.Parameters.AddWithValue(subject);
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Everybody whom the product knows, those with a place first.</summary>
    public static async Task<IReadOnlyList<IdentityPerson>> ListAsync(
        string connectionString, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select   p.zitadel_user_id,
                     coalesce(p.display_name, p.zitadel_user_id),
                     coalesce(string_agg(m.place, ', ' order by m.place), 'no role')
            from     core.user_profiles p
            left     join (
                select om.user_id, om.role || ' of organization ' || o.name as place
                from   kb.organization_memberships om
                join   kb.orgs o on o.id = om.organization_id and o.deleted_at is null
                union  all
                select pm.user_id, pm.role || ' of project ' || pr.name
                from   kb.project_memberships pm
                join   kb.projects pr on pr.id = pm.project_id and pr.deleted_at is null) m on m.user_id = p.id
            where    p.deleted_at is null
            group by p.id
            order by count(m.place) = 0, p.created_at, p.zitadel_user_id
            limit    100
            """;

        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var people = new List<IdentityPerson>();
        while (await rows.ReadAsync(cancellationToken))
        {
            people.Add(new(rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        }

        return people;
    }
}
