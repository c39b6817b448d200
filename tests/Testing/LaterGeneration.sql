-- The local copy of the product's tables, as the migrations 00003 to 00121 of its later server leave them: names, columns and
-- indexes that our statements meet. Run on a database that has migrations/knowledge, before or after migrations/ml.

-- 00003, 00017, 00107, 00121: an object is found by its key, once among the current ones.
alter table kb.graph_objects
    add column migration_archive jsonb not null default '[]',
    add column last_accessed_at  timestamptz,
    add column namespace         text,
    add column delete_reason     text;
drop index kb.graph_objects_key;
create unique index "IDX_graph_objects_upsert_main" on kb.graph_objects (project_id, type, key)
    where key is not null and supersedes_id is null and deleted_at is null and branch_id is null;
create unique index "IDX_graph_objects_upsert_branch" on kb.graph_objects (project_id, branch_id, type, key)
    where key is not null and supersedes_id is null and deleted_at is null and branch_id is not null;
create unique index idx_graph_objects_upsert_namespace on kb.graph_objects (project_id, namespace, type, key)
    where key is not null and namespace is not null and supersedes_id is null and deleted_at is null and branch_id is null;
create index idx_graph_objects_actor on kb.graph_objects (actor_type, actor_id) where actor_type is not null;
create index idx_graph_objects_project_type_created_id on kb.graph_objects (project_id, type, created_at desc, id desc);

-- 00034, 00109, 00121: one current relationship of a type between two objects; a tombstone is current.
alter table kb.graph_relationships
    add column label         text,
    add column delete_reason text;
create unique index uq_graph_relationships_head_main on kb.graph_relationships (project_id, type, src_id, dst_id)
    where supersedes_id is null and branch_id is null;
create unique index uq_graph_relationships_head_branch on kb.graph_relationships (project_id, branch_id, type, src_id, dst_id)
    where supersedes_id is null and branch_id is not null;

-- 00041, 00089, 00110.
alter table kb.documents
    add column domain_name            text,
    add column domain_confidence      real,
    add column classification_signals jsonb;
create unique index idx_documents_project_file_hash on kb.documents (project_id, file_hash) where file_hash is not null;

create index "IDX_d841de45a719fe1f35213d7920" on kb.chunks (document_id);
create index "IDX_object_chunks_chunk_id" on kb.object_chunks (chunk_id);
create index "IDX_object_chunks_extraction_job_id" on kb.object_chunks (extraction_job_id);

-- 00055, 00063.
alter table kb.projects rename column kb_purpose to project_info;
alter table kb.projects
    add column budget_usd             numeric(10, 4) default 10,
    add column budget_alert_threshold numeric(3, 2) not null default 0.80;

-- 00058, 00072, 00077, 00094: packs are called schemas.
alter table kb.graph_template_packs rename to graph_schemas;
alter table kb.project_template_packs rename to project_schemas;
alter table kb.project_object_type_registry rename to project_object_schema_registry;
alter table kb.project_schemas rename column template_pack_id to schema_id;
alter table kb.project_object_schema_registry rename column template_pack_id to schema_id;
alter table kb.graph_schemas
    add column project_id uuid,
    add column migrations jsonb;
alter table kb.project_schemas
    add column removed_at timestamptz,
    add unique (project_id, schema_id);
alter table kb.project_object_schema_registry add column namespace text;

-- 00073, 00076, 00103, 00104: an extraction writes to a branch of its own.
alter table kb.branches
    add column description text,
    add column merged_at   timestamptz;
alter table kb.object_extraction_jobs
    add column staging_branch_id  uuid references kb.branches (id) on delete set null,
    add column created_object_ids uuid[] not null default '{}';
