-- The product's own tables, as far as this system reads or writes them: names, types, keys and row security as the
-- product has them, without embeddings and full-text columns. For local use and tests; a deployment has the originals.

create extension if not exists pgcrypto;

create schema if not exists core;
create schema if not exists kb;

-- The application connects as a role that neither owns a table nor bypasses row security, as it does in the cloud.
do $$
begin
    create role app login nosuperuser nobypassrls nocreatedb nocreaterole;
exception
    when duplicate_object or unique_violation then null;  -- another database of this cluster made it
end
$$;

grant usage on schema core, kb to app;
alter default privileges grant select, insert, update, delete on tables to app;
alter default privileges grant usage, select on sequences to app;
alter default privileges grant usage on schemas to app;

create table core.user_profiles (
    id                    uuid primary key default gen_random_uuid(),
    zitadel_user_id       text not null unique,
    first_name            text,
    last_name             text,
    display_name          text,
    phone_e164            text,
    avatar_object_key     text,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    welcome_email_sent_at timestamptz,
    deleted_at            timestamptz,
    deleted_by            uuid,
    last_synced_at        timestamptz,
    last_activity_at      timestamptz
);

create table kb.orgs (
    id         uuid primary key default gen_random_uuid(),
    name       text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    deleted_by uuid references core.user_profiles (id)
);

create table kb.projects (
    id                        uuid primary key default gen_random_uuid(),
    organization_id           uuid not null references kb.orgs (id) on delete cascade,
    name                      text not null,
    kb_purpose                text,
    created_at                timestamptz not null default now(),
    updated_at                timestamptz not null default now(),
    auto_extract_objects      boolean not null default false,
    auto_extract_config       jsonb not null default '{}',
    chat_prompt_template      text,
    chunking_config           jsonb,
    allow_parallel_extraction boolean not null default false,
    extraction_config         jsonb,
    deleted_at                timestamptz,
    deleted_by                uuid references core.user_profiles (id)
);

create table kb.organization_memberships (
    id              uuid primary key default gen_random_uuid(),
    organization_id uuid not null references kb.orgs (id) on delete cascade,
    user_id         uuid not null references core.user_profiles (id) on delete cascade,
    role            text not null,
    created_at      timestamptz not null default now(),
    unique (organization_id, user_id)
);

create table kb.project_memberships (
    id         uuid primary key default gen_random_uuid(),
    project_id uuid not null references kb.projects (id) on delete cascade,
    user_id    uuid not null references core.user_profiles (id) on delete cascade,
    role       text not null,
    created_at timestamptz not null default now(),
    unique (project_id, user_id)
);

create table kb.branches (
    id               uuid primary key default gen_random_uuid(),
    project_id       uuid references kb.projects (id) on delete cascade,
    name             text not null,
    parent_branch_id uuid,
    created_at       timestamptz not null default now()
);

create table kb.documents (
    id                  uuid primary key default gen_random_uuid(),
    project_id          uuid references kb.projects (id) on delete cascade,
    source_url          text,
    filename            text,
    mime_type           text,
    content             text,
    content_hash        text,
    parent_document_id  uuid,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    source_type         text not null default 'upload',
    storage_key         text,
    storage_url         text,
    metadata            jsonb default '{}',
    file_size_bytes     bigint,
    conversion_status   text default 'not_required',
    conversion_error    text,
    file_hash           text
);
create unique index documents_content on kb.documents (project_id, content_hash) where content_hash is not null;
create index documents_project on kb.documents (project_id);

create table kb.chunks (
    id          uuid primary key default gen_random_uuid(),
    document_id uuid not null references kb.documents (id) on delete cascade,
    chunk_index integer not null,
    text        text not null,
    created_at  timestamptz not null default now(),
    metadata    jsonb,
    updated_at  timestamptz not null default now(),
    unique (document_id, chunk_index)
);

create table kb.object_extraction_jobs (
    id                    uuid primary key default gen_random_uuid(),
    project_id            uuid not null references kb.projects (id) on delete cascade,
    document_id           uuid references kb.documents (id),
    chunk_id              uuid,
    job_type              text not null default 'full_extraction',
    status                text not null default 'pending',
    enabled_types         text[] not null default '{}',
    extraction_config     jsonb not null default '{}',
    objects_created       integer not null default 0,
    relationships_created integer not null default 0,
    suggestions_created   integer not null default 0,
    started_at            timestamptz,
    completed_at          timestamptz,
    error_message         text,
    retry_count           integer not null default 0,
    max_retries           integer not null default 3,
    created_by            uuid,
    reprocessing_of       uuid,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    source_type           text,
    source_id             text,
    source_metadata       jsonb not null default '{}',
    debug_info            jsonb,
    total_items           integer not null default 0,
    processed_items       integer not null default 0,
    successful_items      integer not null default 0,
    failed_items          integer not null default 0,
    logs                  jsonb not null default '[]',
    discovered_types      jsonb default '[]',
    created_objects       jsonb default '[]',
    error_details         jsonb
);
create index object_extraction_jobs_project on kb.object_extraction_jobs (project_id);
create index object_extraction_jobs_status on kb.object_extraction_jobs (status);

create table kb.graph_objects (
    id                    uuid primary key default gen_random_uuid(),
    project_id            uuid not null references kb.projects (id) on delete cascade,
    type                  text not null,
    key                   text,
    status                text,
    version               integer not null default 1,
    supersedes_id         uuid,
    canonical_id          uuid not null,
    properties            jsonb not null default '{}',
    labels                text[] not null default '{}',
    deleted_at            timestamptz,
    change_summary        jsonb,
    content_hash          bytea,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    branch_id             uuid,
    extraction_job_id     uuid,
    extraction_confidence real,
    needs_review          boolean default false,
    reviewed_by           uuid,
    reviewed_at           timestamptz,
    schema_version        text,
    actor_type            text default 'user' check (actor_type in ('user', 'agent', 'system')),
    actor_id              uuid
);
create index graph_objects_type on kb.graph_objects (type);
create index graph_objects_canonical on kb.graph_objects (canonical_id);
create index graph_objects_key on kb.graph_objects (project_id, type, key) where key is not null;

create table kb.graph_relationships (
    id             uuid primary key default gen_random_uuid(),
    project_id     uuid not null references kb.projects (id) on delete cascade,
    type           text not null,
    src_id         uuid not null,
    dst_id         uuid not null,
    properties     jsonb not null default '{}',
    weight         real,
    valid_from     timestamptz,
    valid_to       timestamptz,
    deleted_at     timestamptz,
    change_summary jsonb,
    content_hash   bytea,
    created_at     timestamptz not null default now(),
    canonical_id   uuid not null,
    supersedes_id  uuid,
    version        integer not null default 1,
    branch_id      uuid
);
create index graph_relationships_project on kb.graph_relationships (project_id);
create index graph_relationships_src on kb.graph_relationships (src_id);
create index graph_relationships_dst on kb.graph_relationships (dst_id);
create index graph_relationships_type on kb.graph_relationships (type);

create table kb.object_chunks (
    id                uuid primary key default gen_random_uuid(),
    object_id         uuid not null references kb.graph_objects (id) on delete cascade,
    chunk_id          uuid not null references kb.chunks (id) on delete cascade,
    extraction_job_id uuid references kb.object_extraction_jobs (id) on delete set null,
    confidence        real,
    created_at        timestamptz not null default now(),
    unique (object_id, chunk_id)
);

create table kb.graph_template_packs (
    id                        uuid primary key default gen_random_uuid(),
    name                      text not null,
    version                   text not null,
    description               text,
    source                    text not null default 'manual',
    pending_review            boolean not null default false,
    object_type_schemas       jsonb not null,
    relationship_type_schemas jsonb not null default '{}',
    ui_configs                jsonb not null default '{}',
    extraction_prompts        jsonb not null default '{}',
    sql_views                 jsonb not null default '[]',
    published_at              timestamptz not null default now(),
    deprecated_at             timestamptz,
    created_at                timestamptz not null default now(),
    updated_at                timestamptz not null default now(),
    parent_version_id         uuid references kb.graph_template_packs (id) on delete set null,
    draft                     boolean default false
);

create table kb.project_template_packs (
    id               uuid primary key default gen_random_uuid(),
    project_id       uuid not null references kb.projects (id) on delete cascade,
    template_pack_id uuid not null references kb.graph_template_packs (id),
    installed_at     timestamptz not null default now(),
    installed_by     uuid,
    active           boolean not null default true,
    customizations   jsonb not null default '{}',
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);

create table kb.project_object_type_registry (
    id                   uuid primary key default gen_random_uuid(),
    project_id           uuid not null references kb.projects (id) on delete cascade,
    type_name            text not null,
    source               text not null,
    template_pack_id     uuid,
    schema_version       integer not null default 1,
    json_schema          jsonb not null,
    ui_config            jsonb,
    extraction_config    jsonb,
    enabled              boolean not null default true,
    discovery_confidence double precision,
    description          text,
    created_by           uuid,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now()
);

create table kb.notifications (
    id                    uuid primary key default gen_random_uuid(),
    project_id            uuid references kb.projects (id) on delete cascade,
    user_id               uuid not null references core.user_profiles (id) on delete cascade,
    title                 text not null,
    message               text not null,
    type                  text,
    severity              text not null default 'info',
    related_resource_type text,
    related_resource_id   uuid,
    read                  boolean not null default false,
    dismissed             boolean not null default false,
    actions               jsonb not null default '[]',
    importance            text not null default 'other',
    category              text,
    source_type           text,
    source_id             text,
    action_url            text,
    action_label          text,
    group_key             text,
    details               jsonb,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now()
);

-- Row security of the product: without the setting, or with an empty one, every row is visible (it fails open), with a
-- project's id only that project's. It is no safety net; every query of ours filters by itself.
do $$
declare
    own    constant text := 'coalesce(current_setting(''app.current_project_id'', true), '''') = '''' '
                            'or project_id::text = current_setting(''app.current_project_id'', true)';
    parent constant text := 'coalesce(current_setting(''app.current_project_id'', true), '''') = '''' or exists (';
    rule   record;
begin
    for rule in
        select *
        from   (values
            ('documents', own),
            ('graph_objects', own),
            ('graph_relationships', own),
            ('object_extraction_jobs', own),
            ('project_object_type_registry', own),
            ('project_template_packs', own),
            ('project_memberships', own),
            ('notifications', own),
            ('branches', own),
            ('chunks', parent || 'select 1 from kb.documents d where d.id = document_id '
                'and d.project_id::text = current_setting(''app.current_project_id'', true))'),
            ('object_chunks', parent || 'select 1 from kb.graph_objects o where o.id = object_id '
                'and o.project_id::text = current_setting(''app.current_project_id'', true))')
        ) as rules (table_name, condition)
    loop
        execute format('alter table kb.%I enable row level security', rule.table_name);
        execute format('create policy %I on kb.%I for select using (%s)',
            rule.table_name || '_select', rule.table_name, rule.condition);
        execute format('create policy %I on kb.%I for insert with check (%s)',
            rule.table_name || '_insert', rule.table_name, rule.condition);
        execute format('create policy %I on kb.%I for update using (%s) with check (%s)',
            rule.table_name || '_update', rule.table_name, rule.condition, rule.condition);
        execute format('create policy %I on kb.%I for delete using (%s)',
            rule.table_name || '_delete', rule.table_name, rule.condition);
    end loop;
end
$$;

alter table kb.graph_objects force row level security;
alter table kb.graph_relationships force row level security;
