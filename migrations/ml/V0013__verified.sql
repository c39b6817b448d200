-- What counts as verified: a person's decision, or the product's acceptance. Counts now tell the acceptances of our own tuned
-- models from the product's others, and texts in which there is nothing to find.

-- Every project is counted anew, because its rules have another name.
truncate ml.counted_objects, ml.counted_extractions, ml.object_counts, ml.extraction_counts;
update ml.counted_projects set rules = null, counted_at = null, complete_to = null;

-- An object counts at a level, and at one with the acceptances of our own models, which is never lower.
alter table ml.counted_objects
    add column own_verified_to smallint not null check (own_verified_to between verified_to and 101),
    add column is_live         boolean not null,                  -- false: deleted, or a confirmation
    add column is_refused      boolean not null,                  -- rejected by a person
    add column is_sourced      boolean not null,                  -- its extraction is completed and names the chunk itself
    add column is_confirmation boolean not null;                  -- a row of ml.confirmed_empty, under the extraction's id

alter table ml.counted_extractions
    add column own_usable_to  smallint not null check (own_usable_to between -1 and 101),
    add column own_decided_to smallint not null check (own_decided_to between -1 and 101),
    add column is_held        boolean not null,                   -- has an object that nobody has rejected
    add column is_empty       boolean not null;                   -- verified to hold nothing, by every extraction of its chunk
-- From one extraction of a chunk to the others.
create index counted_extractions_chunk on ml.counted_extractions (project_id, chunk_id);

alter table ml.object_counts
    add column own_verified_to smallint not null,
    drop constraint object_counts_pkey,
    add primary key (project_id, entity_type, is_rejected, verified_to, own_verified_to);

alter table ml.extraction_counts
    add column own_usable  bigint not null,                       -- extractions with own_usable_to = level
    add column own_decided bigint not null,                       -- extractions with own_decided_to = level
    add column empty       bigint not null;                       -- extractions with is_empty, at level 101

-- ------------------------------------------------------------------------------------------------------------ the log

create or replace function ml.note_updated_objects() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, c.subject, c.canonical_id, noted_at
    from   (select distinct k.project_id, k.canonical_id,
                   -- The evidence of a row goes where the row goes.
                   case when (o.project_id, o.canonical_id) is distinct from (n.project_id, n.canonical_id)
                        then 'evidence' else 'object' end as subject
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.project_id, o.canonical_id), (n.project_id, n.canonical_id))
                   as k (project_id, canonical_id)
            -- Timestamps of access, embeddings and the like are written far more often than anything that counts.
            where  (o.project_id, o.canonical_id, o.version, o.created_at, o.branch_id, o.deleted_at, o.status,
                    o.reviewed_by, o.actor_type, coalesce(o.needs_review, false), 'requires_review' = any(o.labels),
                    o.extraction_confidence, o.extraction_job_id, o.type, o.key, o.properties)
                   is distinct from
                   (n.project_id, n.canonical_id, n.version, n.created_at, n.branch_id, n.deleted_at, n.status,
                    n.reviewed_by, n.actor_type, coalesce(n.needs_review, false), 'requires_review' = any(n.labels),
                    n.extraction_confidence, n.extraction_job_id, n.type, n.key, n.properties)) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create or replace function ml.note_updated_extractions() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'extraction', c.id, noted_at
    from   (select distinct k.project_id, k.id
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.project_id, o.id), (n.project_id, n.id)) as k (project_id, id)
            where  (o.id, o.project_id, o.chunk_id, o.document_id, o.source_type, o.source_id,
                    o.status in ('completed', 'requires_review'))
                   is distinct from
                   (n.id, n.project_id, n.chunk_id, n.document_id, n.source_type, n.source_id,
                    n.status in ('completed', 'requires_review'))) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

-- Which model answered decides whether the product's acceptance counts. A worker may record it after it has written the objects.
create function ml.note_extraction_results() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select c.organization_id, c.project_id, 'extraction', c.job_id, noted_at
    from   changed_rows c
    where  c.answered_model_id is not null;
    return null;
end
$$;

create trigger ml_note_insert after insert on ml.extraction_results referencing new table as changed_rows
    for each statement execute function ml.note_extraction_results();
create trigger ml_note_delete after delete on ml.extraction_results referencing old table as changed_rows
    for each statement execute function ml.note_extraction_results();
