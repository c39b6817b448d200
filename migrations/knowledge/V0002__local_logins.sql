-- The logins of this machine and what they are members of. In a deployment an administrator makes them, before the
-- migrations of ml that grant to the two groups.

do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from   (values ('ml_worker', 'nologin'), ('ml_api', 'nologin'), ('app_api', 'login')) as roles (role_name, kind)
        where  not exists (select from pg_roles where rolname = role_name)
    loop
        begin
            execute format(
                'create role %I %s nosuperuser nobypassrls nocreatedb nocreaterole', wanted.role_name, wanted.kind);
        exception
            when duplicate_object or unique_violation then null;  -- another database of this cluster made it
        end;
    end loop;

    for wanted in
        select *
        from   (values ('ml_worker', 'app'), ('ml_api', 'app_api')) as memberships (group_name, login_name)
        where  not exists (
            select from pg_auth_members where roleid = group_name::regrole and member = login_name::regrole)
    loop
        begin
            execute format('grant %I to %I', wanted.group_name, wanted.login_name);
        exception
            when unique_violation then null;
        end;
    end loop;
end
$$;

-- app keeps the product's tables, those to come too. In ml it has what ml_worker has: the blanket grant of V0001 would
-- hide a right that a deployment lacks.
alter default privileges revoke all on tables from app;
alter default privileges revoke all on sequences from app;
alter default privileges revoke all on schemas from app;
alter default privileges in schema core, kb grant select, insert, update, delete on tables to app;
alter default privileges in schema core, kb grant usage, select on sequences to app;

do $$
begin
    if to_regnamespace('ml') is not null then
        revoke all on all tables in schema ml from app;
        revoke all on all sequences in schema ml from app;
        revoke all on schema ml from app;
    end if;
end
$$;

-- What the admin API reads of the product: who is asking, what there is, and what is counted and shown of it.
grant usage on schema core, kb to app_api;
grant select
on    core.user_profiles, kb.orgs, kb.projects, kb.organization_memberships, kb.project_memberships, kb.documents,
      kb.chunks, kb.object_extraction_jobs, kb.graph_objects, kb.object_chunks
to    app_api;
