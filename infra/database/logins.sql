-- The logins of the functions, and what the worker's may do with the product's tables. Run by the owner of those
-- tables, before the first migration, and again when the product has got a table that is read here:
--
--   psql "$OWNER" -v api=feedback_loop_api -v worker=feedback_loop_worker -f infra/database/logins.sql
--
-- Passwords are set afterwards, with \password, so that they stand in no file and no log. What the logins may do in
-- schema ml is granted by the migrations to the two groups, and so is what the API's may read of the product, column by
-- column (V0023).

\set ON_ERROR_STOP on

select format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole', wanted)
from   (values ('ml_api'), ('ml_worker')) as groups (wanted)
where  not exists (select from pg_roles where rolname = wanted)
\gexec

select format('create role %I login nosuperuser nobypassrls nocreatedb nocreaterole', wanted)
from   (values (:'api'), (:'worker')) as logins (wanted)
where  not exists (select from pg_roles where rolname = wanted)
\gexec

grant ml_api to :"api";
grant ml_worker to :"worker";

-- An instance of a function ends with its request; a statement that goes on is nobody's.
alter role :"api" set statement_timeout = '60s';
alter role :"worker" set idle_in_transaction_session_timeout = '600s';

grant usage on schema core, kb to :"worker";

grant select
on    core.user_profiles, kb.orgs, kb.projects, kb.organization_memberships, kb.project_memberships, kb.documents, kb.chunks,
      kb.object_extraction_jobs, kb.graph_objects, kb.graph_relationships, kb.object_chunks
to    :"worker";

-- What an extraction leaves behind, and who is told of what.
grant insert on kb.graph_objects, kb.graph_relationships, kb.object_chunks to :"worker";
grant update on kb.object_extraction_jobs to :"worker";
grant select, insert on kb.notifications to :"worker";

-- The types of a project, in the tables that the product's generation has.
select format('grant select on kb.%I to %I', source, :'worker')
from   unnest(array['project_object_type_registry', 'project_template_packs', 'graph_template_packs',
                    'project_object_schema_registry', 'project_schemas', 'graph_schemas']) as source
where  to_regclass('kb.' || source) is not null
\gexec
