using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>What the catalogue must not say of the schema <c>ml</c>.</summary>
internal static class CatalogueLint
{
    /// <summary>Of each table with an organization: for all roles and all commands, reading and writing alike.</summary>
    private const string Tenant =
        """
        (organization_id = ANY (( SELECT (NULLIF(current_setting('app.organizations'::text, true), ''::text))::uuid[] AS "nullif")::uuid[]))
        """;

    // Tables without an organization: Evolve's list of files, deliveries that nobody could read, and how far the sweep
    // has read.
    private const string Findings =
        """
        with objects as (
            select c.oid, c.relname, c.relkind, c.relowner, c.reloptions, c.relrowsecurity, c.relacl
            from   pg_class c
            where  c.relnamespace = 'ml'::regnamespace
            and    c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        ), tenants as (
            select o.*
            from   objects o
            join   pg_attribute a on a.attrelid = o.oid and a.attname = 'organization_id' and not a.attisdropped
            where  o.relkind in ('r', 'p')
        ), application as (
            select r.*
            from   pg_roles r
            where  r.rolname in ('ml_api', 'ml_worker')
            or     (not r.rolsuper and (pg_has_role(r.oid, 'ml_api', 'member') or pg_has_role(r.oid, 'ml_worker', 'member')))
            or     exists (select from pg_auth_members m
                           where  m.member = r.oid and m.roleid in ('ml_api'::regrole, 'ml_worker'::regrole))
        ), owners as (
            select relowner as oid from objects
            union select proowner from pg_proc where pronamespace = 'ml'::regnamespace
            union select nspowner from pg_namespace where nspname = 'ml'
            union select datdba from pg_database where datname = current_database()
        ), rights as (
            select o.relname, o.relkind, p.grantee, p.privilege_type
            from   objects o
            cross  join lateral aclexplode(o.relacl) p
            where  p.grantee <> o.relowner
        ), policies as (
            select p.*, t.relname, pg_get_expr(p.polqual, t.oid) as reads, pg_get_expr(p.polwithcheck, t.oid) as writes,
                   exists (select from rights r where r.relname = t.relname and r.grantee = 0) as is_log
            from   pg_policy p
            join   objects t on t.oid = p.polrelid
        )
        select 'row security is off' as finding, relname::text as subject
        from   tenants
        where  not relrowsecurity
        union all
        select 'no tenant policy', t.relname
        from   tenants t
        where  not exists (
            select from policies p
            where  p.polrelid = t.oid and p.polname = 'tenant' and p.polpermissive and p.polroles = '{0}' and p.polcmd = '*'
            and    p.reads = @tenant and p.writes = @tenant)
        union all
        select 'another permissive policy', polname || ' on ' || relname
        from   policies
        where  polpermissive
        and    polname <> 'tenant'
        and    not (polname = 'chain' and polroles = array['ml_worker'::regrole::oid])
        and    not (polname = 'note' and is_log and polcmd = 'a')
        union all
        select 'table without organization_id', relname
        from   objects o
        where  o.relkind in ('r', 'p', 'f')
        and    o.relname not in ('migrations', 'rejected_messages', 'spending_stops', 'tuning_listings')
        and    not exists (select from pg_attribute a
                           where  a.attrelid = o.oid and a.attname = 'organization_id' and a.attnotnull and not a.attisdropped)
        union all
        select 'foreign key without organization_id', k.conname || ' on ' || t.relname
        from   pg_constraint k
        join   objects t on t.oid = k.conrelid
        where  k.contype = 'f'
        and    not exists (select from pg_attribute a
                           where  a.attrelid = k.conrelid and a.attnum = any (k.conkey) and a.attname = 'organization_id')
        union all
        select 'foreign key to the product', k.conname || ' on ' || t.relname
        from   pg_constraint k
        join   objects t on t.oid = k.conrelid
        join   pg_class target on target.oid = k.confrelid
        where  k.contype = 'f'
        and    target.relnamespace <> 'ml'::regnamespace
        union all
        select 'view without security_invoker', relname
        from   objects
        where  relkind = 'm'
        or     (relkind = 'v' and not coalesce(
                   reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false))
        union all
        select 'security definer function', proname
        from   pg_proc
        where  pronamespace = 'ml'::regnamespace and prosecdef
        union all
        select 'application role too strong', rolname
        from   application
        where  rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
        union all
        select 'application role owns something', a.rolname
        from   application a
        where  a.oid in (select oid from owners)
        union all
        select 'application role can become the owner', a.rolname || ' ' || o.oid::regrole
        from   application a
        join   owners o on o.oid <> a.oid and pg_has_role(a.oid, o.oid, 'member')
        where  not a.rolsuper
        union all
        select 'login of the API is in the chain', rolname
        from   application
        where  not rolsuper and pg_has_role(oid, 'ml_api', 'member') and pg_has_role(oid, 'ml_worker', 'member')
        union all
        select 'right that row security does not see', privilege_type || ' on ' || relname || ' for ' || grantee::regrole
        from   rights
        where  privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
        union all
        select 'right for everyone', privilege_type || ' on ' || relname
        from   rights
        where  grantee = 0
        and    not (privilege_type = 'INSERT' and relname = 'knowledge_changes')
        union all
        select 'API reaches what has no organization', privilege_type || ' on ' || relname
        from   rights
        where  (relname in ('migrations', 'rejected_messages', 'tuning_listings') or relname = 'spending_stops' and privilege_type <> 'SELECT')
        and    grantee in (select oid from application where pg_has_role(oid, 'ml_api', 'member'))
        union all
        select 'right by default', d.defaclrole::regrole || ' to ' || p.grantee::regrole
        from   pg_default_acl d
        cross  join lateral aclexplode(d.defaclacl) p
        where  d.defaclnamespace in (0, 'ml'::regnamespace)
        and    p.grantee <> d.defaclrole
        and    (p.grantee = 0 or p.grantee in (select oid from application))
        and    d.defaclobjtype in ('r', 'S')
        order  by 1, 2
        """;

    /// <returns>Lines such as <c>row security is off: training_runs</c>; none when all is well.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(NpgsqlConnection db, CancellationToken cancellationToken)
    {
        var findings = await db.QueryAsync<(string Finding, string Subject)>(
            Sql.Command(Findings, new { tenant = Tenant.Trim() }, cancellationToken));
        return [.. findings.Select(f => $"{f.Finding}: {f.Subject}")];
    }
}
