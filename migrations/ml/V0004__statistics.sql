-- Counts of verified objects and available examples, which follow the product's rows as they change in place. A change
-- writes its key into a log, inside the product's own transaction; a fold takes keys from the log, decides again what the
-- rows of these keys count as, and moves the counts by the difference.

-- ------------------------------------------------------------------------------------------------------------ the log

-- Without a foreign key: its lock on the project's row could make a product's statement wait, or deadlock with the
-- deletion of the project. Rows of a project that is gone are removed by the sweep.
create table ml.knowledge_changes (
    id              bigint generated always as identity,
    organization_id uuid not null,
    project_id      uuid not null,
    subject         text not null check (subject in ('object', 'evidence', 'extraction', 'document', 'project')),
    subject_id      uuid not null,                                -- of an object and its evidence: the canonical id
    at              timestamptz not null,
    primary key (project_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- The triggers run with the rights of whoever writes the product's tables. All that this opens is a request to count an
-- object again.
grant usage on schema ml to public;
grant insert on ml.knowledge_changes to public;

-- Each function below is called once a statement. Old and new rows are brought together by a full join, because it is
-- never planned as a nested loop: the plan is kept from the first call, which has one row, for a later one with many.

create function ml.note_inserted_objects() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    -- What stands on a branch counts for nothing.
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'object', c.canonical_id, noted_at
    from   (select distinct project_id, canonical_id from new_rows where branch_id is null) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_updated_objects() returns trigger language plpgsql as $$
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
                    o.reviewed_by, o.extraction_confidence, o.extraction_job_id, o.type, o.key, o.properties)
                   is distinct from
                   (n.project_id, n.canonical_id, n.version, n.created_at, n.branch_id, n.deleted_at, n.status,
                    n.reviewed_by, n.extraction_confidence, n.extraction_job_id, n.type, n.key, n.properties)) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_deleted_objects() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    -- Of branches too: the evidence of such a row counts for its canonical id, and goes with it.
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'evidence', c.canonical_id, noted_at
    from   (select distinct project_id, canonical_id from old_rows) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_inserted_extractions() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'extraction', c.id, noted_at
    from   new_rows c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_updated_extractions() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'extraction', c.id, noted_at
    from   (select distinct k.project_id, k.id
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.project_id, o.id), (n.project_id, n.id)) as k (project_id, id)
            where  (o.id, o.project_id, o.chunk_id, o.document_id, o.source_type, o.source_id)
                   is distinct from
                   (n.id, n.project_id, n.chunk_id, n.document_id, n.source_type, n.source_id)) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_deleted_extractions() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'extraction', c.id, noted_at
    from   old_rows c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

-- A chunk is noted as its document: when a document goes, its chunks go first, and nothing tells their project any more.
create function ml.note_inserted_chunks() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, d.project_id, 'document', d.id, noted_at
    from   (select distinct document_id from new_rows) c
    join   kb.documents d on d.id = c.document_id
    join   kb.projects p on p.id = d.project_id;
    return null;
end
$$;

create function ml.note_updated_chunks() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, d.project_id, 'document', d.id, noted_at
    from   (select distinct k.document_id
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.document_id), (n.document_id)) as k (document_id)
            where  (o.id, o.document_id) is distinct from (n.id, n.document_id)) c
    join   kb.documents d on d.id = c.document_id
    join   kb.projects p on p.id = d.project_id;
    return null;
end
$$;

create function ml.note_deleted_chunks() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, d.project_id, 'document', d.id, noted_at
    from   (select distinct document_id from old_rows) c
    join   kb.documents d on d.id = c.document_id
    join   kb.projects p on p.id = d.project_id;
    return null;
end
$$;

-- A document that moves takes the sources of any number of extractions along, and hardly ever does: both projects are
-- counted anew.
create function ml.note_updated_documents() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, p.id, 'project', p.id, noted_at
    from   (select distinct k.project_id
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.project_id), (n.project_id)) as k (project_id)
            where  (o.id, o.project_id) is distinct from (n.id, n.project_id)) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_deleted_documents() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'document', c.id, noted_at
    from   old_rows c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_inserted_evidence() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'evidence', c.canonical_id, noted_at
    from   (select distinct v.project_id, v.canonical_id
            from   new_rows e
            join   kb.graph_objects v on v.id = e.object_id) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_updated_evidence() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'evidence', c.canonical_id, noted_at
    from   (select distinct v.project_id, v.canonical_id
            from   old_rows o
            full   join new_rows n on n.id = o.id
            cross  join lateral (values (o.object_id), (n.object_id)) as k (object_id)
            join   kb.graph_objects v on v.id = k.object_id
            where  (o.object_id, o.chunk_id, o.extraction_job_id)
                   is distinct from
                   (n.object_id, n.chunk_id, n.extraction_job_id)) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

create function ml.note_deleted_evidence() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'evidence', c.canonical_id, noted_at
    from   (select distinct v.project_id, v.canonical_id
            from   old_rows e
            join   kb.graph_objects v on v.id = e.object_id) c
    join   kb.projects p on p.id = c.project_id;
    return null;
end
$$;

-- A truncated table has no old rows to tell whose they were.
create function ml.note_truncated() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, p.id, 'project', p.id, noted_at
    from   kb.projects p;
    return null;
end
$$;

do $$
declare
    watched record;
begin
    for watched in
        select *
        from   (values
            ('graph_objects', 'objects', true),
            ('object_extraction_jobs', 'extractions', true),
            ('chunks', 'chunks', true),
            ('documents', 'documents', false),  -- nothing can point at a new document yet
            ('object_chunks', 'evidence', true)
        ) as tables (table_name, noun, notes_inserts)
    loop
        if watched.notes_inserts then
            execute format(
                'create trigger ml_note_insert after insert on kb.%I referencing new table as new_rows '
                'for each statement execute function ml.%I()', watched.table_name, 'note_inserted_' || watched.noun);
        end if;
        execute format(
            'create trigger ml_note_update after update on kb.%I referencing old table as old_rows new table as new_rows '
            'for each statement execute function ml.%I()', watched.table_name, 'note_updated_' || watched.noun);
        execute format(
            'create trigger ml_note_delete after delete on kb.%I referencing old table as old_rows '
            'for each statement execute function ml.%I()', watched.table_name, 'note_deleted_' || watched.noun);
        execute format(
            'create trigger ml_note_truncate after truncate on kb.%I '
            'for each statement execute function ml.note_truncated()', watched.table_name);
    end loop;
end
$$;

-- From a project to its objects, so that the first count of a small project does not read those of all.
create index if not exists graph_objects_project on kb.graph_objects (project_id);
-- From a document to its chunks, whether they are deleted or not, and from a chunk or document to the extractions that
-- name it.
create index if not exists chunks_document on kb.chunks (document_id);
create index if not exists object_extraction_jobs_chunk on kb.object_extraction_jobs (chunk_id)
    where chunk_id is not null;
create index if not exists object_extraction_jobs_document on kb.object_extraction_jobs (document_id)
    where document_id is not null;
create index if not exists object_extraction_jobs_source on kb.object_extraction_jobs (lower(source_id))
    where source_id is not null;

-- --------------------------------------------------------------------------------------------------------- the counts

-- A fold holds the row's lock, so one at a time moves the counts of a project. The other tables hang on this row and not
-- on the product's: a fold that waited for the product's project while the project's deletion waits for the fold would be
-- a deadlock, and the product might lose it.
create table ml.counted_projects (
    project_id      uuid primary key,
    organization_id uuid not null,
    rules           text,                                         -- what it was counted by; null: not yet
    counted_at      timestamptz,                                  -- last fold
    complete_to     timestamptz,                                  -- everything committed until then is counted
    last_change_at  timestamptz,
    unique (project_id, organization_id),
    foreign key (project_id, organization_id) references kb.projects (id, organization_id)
        on update cascade on delete cascade,
    constraint counted_has_a_time check (rules is null or (counted_at is not null and complete_to is not null))
) with (fillfactor = 50);
create index counted_projects_organization on ml.counted_projects (organization_id);

-- A level says who may have verified: 0 to 100 a confidence of so many per cent, or a person; 101 only a person. An object
-- or extraction that has what it takes at one level has it at all levels below.
create table ml.counted_objects (
    project_id      uuid not null,
    canonical_id    uuid not null,
    organization_id uuid not null,
    entity_type     text not null,
    is_rejected     boolean not null,
    verified_to     smallint not null check (verified_to between -1 and 101),   -- highest level; -1: none
    is_meaningful   boolean not null,                             -- says enough to be part of an example
    job_id          uuid,                                         -- as the object has it, whether there is such a job or not
    chunk_id        uuid,
    document_id     uuid,
    content         bigint not null,                              -- hash of what an example would take from it
    primary key (project_id, canonical_id),
    foreign key (project_id, organization_id) references ml.counted_projects (project_id, organization_id)
        on update cascade on delete cascade
) with (fillfactor = 90);
create index counted_objects_job on ml.counted_objects (project_id, job_id) where job_id is not null;

-- One row for each pair of extraction and chunk, which is what becomes an example or not.
create table ml.counted_extractions (
    project_id      uuid not null,
    job_id          uuid not null,
    chunk_id        uuid not null,
    organization_id uuid not null,
    document_id     uuid not null,
    usable_to       smallint not null check (usable_to between -1 and 101),     -- becomes an example up to this level
    decided_to      smallint not null check (decided_to between -1 and 101),    -- enough is decided up to this level
    changed_at      timestamptz not null,
    primary key (project_id, job_id, chunk_id),
    foreign key (project_id, organization_id) references ml.counted_projects (project_id, organization_id)
        on update cascade on delete cascade
) with (fillfactor = 80);
create index counted_extractions_changed on ml.counted_extractions (project_id, changed_at);
create index counted_extractions_document on ml.counted_extractions (project_id, document_id);

create table ml.object_counts (
    project_id      uuid not null,
    organization_id uuid not null,
    entity_type     text not null,
    is_rejected     boolean not null,
    verified_to     smallint not null,
    count           bigint not null,
    primary key (project_id, entity_type, is_rejected, verified_to),
    foreign key (project_id, organization_id) references ml.counted_projects (project_id, organization_id)
        on update cascade on delete cascade
) with (fillfactor = 50);

-- By day, so that "new since" looks at single extractions only for the rest of one day.
create table ml.extraction_counts (
    project_id      uuid not null,
    organization_id uuid not null,
    changed_on      date not null,                                -- the UTC day of changed_at
    level           smallint not null,
    usable          bigint not null,                              -- extractions with usable_to = level
    decided         bigint not null,                              -- extractions with decided_to = level
    primary key (project_id, changed_on, level),
    foreign key (project_id, organization_id) references ml.counted_projects (project_id, organization_id)
        on update cascade on delete cascade
) with (fillfactor = 50);
