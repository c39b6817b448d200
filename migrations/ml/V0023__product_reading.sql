-- What the admin API reads of the product's tables, and whose rows: the columns that its pages are made of, and the
-- organizations that its session names. docs/architecture.md has the list, and a test compares it with this.
--
-- The product's own policies stay as they are. Each policy here is restrictive and for ml_api alone, so that it takes
-- rows from the API's login and gives none to anybody.

-- ------------------------------------------------------------------------------------------------------------- columns

grant usage on schema core, kb to ml_api;

do $$
declare
    wanted  record;
    granted record;
begin
    -- What the scripts of the logins gave before: whole tables. Not from an owner, nor from who may become one: whoever
    -- makes a role is a member of it in later versions of PostgreSQL, and that may be the owner.
    for granted in
        select distinct c.oid::regclass as table_name, p.grantee::regrole as login
        from   pg_class c
        cross  join lateral aclexplode(c.relacl) p
        where  c.relnamespace in ('core'::regnamespace, 'kb'::regnamespace)
        and    p.privilege_type = 'SELECT'
        and    p.grantee <> 0
        and    p.grantee <> 'ml_api'::regrole
        and    pg_has_role(p.grantee, 'ml_api', 'usage')
        and    not pg_has_role(p.grantee, c.relowner, 'member')
    loop
        execute format('revoke select on %s from %s', granted.table_name, granted.login);
    end loop;

    for wanted in
        select *
        from   (values
            ('core.user_profiles', 'id, zitadel_user_id, display_name, first_name, last_name, deleted_at'),
            ('kb.orgs', 'id, name, deleted_at'),
            ('kb.projects', 'id, organization_id, name, deleted_at'),
            ('kb.organization_memberships', 'organization_id, user_id, role'),
            ('kb.project_memberships', 'project_id, user_id, role'),
            ('kb.documents', 'id, project_id'),
            ('kb.chunks', 'id, document_id, text, deleted_at'),
            ('kb.object_extraction_jobs', 'id, project_id, document_id, chunk_id, source_type, source_id, status'),
            ('kb.graph_objects',
             'id, project_id, canonical_id, version, branch_id, type, key, status, properties, labels, needs_review, '
             'reviewed_by, actor_type, actor_id, extraction_job_id, extraction_confidence, created_at, updated_at, deleted_at'),
            ('kb.graph_relationships',
             'id, project_id, canonical_id, version, branch_id, type, src_id, dst_id, properties, created_at, '
             'deleted_at'),
            ('kb.object_chunks', 'object_id, chunk_id, extraction_job_id'),
            -- The types of a project, by the names of the product's two generations.
            ('kb.project_object_type_registry', 'project_id, type_name, description, json_schema, enabled'),
            ('kb.project_object_schema_registry', 'project_id, type_name, description, json_schema, enabled'),
            ('kb.project_template_packs', 'project_id, template_pack_id, active'),
            ('kb.project_schemas', 'project_id, schema_id, active'),
            ('kb.graph_template_packs', 'id, relationship_type_schemas'),
            ('kb.graph_schemas', 'id, relationship_type_schemas')) as list (table_name, columns)
        where  to_regclass(table_name) is not null
    loop
        execute format('grant select (%s) on %s to ml_api', wanted.columns, wanted.table_name);
    end loop;
end
$$;

-- ---------------------------------------------------------------------------------------------------------------- rows

do $$
declare
    -- The inner sub-select is evaluated once a statement, and the projects of these organizations are hashed once a
    -- statement: a row costs one look into that hash. As an array of projects it would be gone through for each row,
    -- and an organization may have a thousand.
    of_project constant text :=
        'project_id in (select p.id from kb.projects p where p.organization_id = any ('
        '(select nullif(current_setting(''app.organizations'', true), '''')::uuid[])::uuid[]))';
    wanted record;
begin
    for wanted in
        select c.oid::regclass as table_name, c.relrowsecurity, list.condition
        from   (values
            ('kb.documents', of_project),
            ('kb.object_extraction_jobs', of_project),
            ('kb.graph_objects', of_project),
            ('kb.graph_relationships', of_project),
            ('kb.project_object_type_registry', of_project),
            ('kb.project_object_schema_registry', of_project),
            ('kb.project_template_packs', of_project),
            ('kb.project_schemas', of_project),
            -- The sub-select is under the policy of the table that it reads, and finds what the session may see there.
            ('kb.chunks', 'exists (select 1 from kb.documents d where d.id = document_id)'),
            ('kb.object_chunks', 'exists (select 1 from kb.graph_objects o where o.id = object_id)'))
               as list (table_name, condition)
        join   pg_class c on c.oid = to_regclass(list.table_name)
    loop
        if not wanted.relrowsecurity then
            raise exception '% has no row security: the API would read it for every organization', wanted.table_name
                using errcode = 'object_not_in_prerequisite_state',
                      hint = 'The product enables it, with policies of its own. Without those no row is seen.';
        end if;

        -- Where the schema ml was dropped and is made anew, the policy is still there.
        execute format('drop policy if exists ml_tenant on %s', wanted.table_name);
        execute format(
            'create policy ml_tenant on %s as restrictive to ml_api using (%s)', wanted.table_name, wanted.condition);
    end loop;

    -- From the organizations of a session to their projects, unless the product has an index for it.
    if not exists (
        select 1
        from   pg_index i
        join   pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where  i.indrelid = 'kb.projects'::regclass
        and    a.attname = 'organization_id'
        and    i.indisvalid
        and    i.indpred is null)
    then
        create index projects_organization on kb.projects (organization_id, id);
    end if;
end
$$;
