-- Models that have learnt from a document that was forgotten, or that the product has deleted; and those tuned on top
-- of them.

alter table ml.fine_tuned_models
    add column tainted_since timestamptz,
    add column taint_reason  text,
    add constraint taint_is_explained check ((tainted_since is null) = (taint_reason is null));

-- By which documents; of a model that is tainted by its parent alone there is no row.
create table ml.model_taints (
    model_id        uuid not null,
    document_id     uuid not null,
    organization_id uuid not null,
    cause           text not null check (cause in ('forgotten', 'deleted')),
    since           timestamptz not null,
    primary key (model_id, document_id),
    foreign key (model_id, organization_id) references ml.fine_tuned_models (id, organization_id)
);
create index model_taints_document on ml.model_taints (document_id);

grant select on ml.model_taints to ml_api, ml_worker;
grant insert on ml.model_taints to ml_worker;

alter table ml.model_taints enable row level security;
create policy tenant on ml.model_taints
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.model_taints to ml_worker using (true) with check (true);

-- ---------------------------------------------------------------------------------- documents that the product deletes

-- The documents that the product still has. Of its generations that we know, all delete documents for good; one with a
-- column deleted_at marks them. A function and not a view, which would keep the product from changing its table.
do $do$
declare
    marks constant boolean := exists (
        select from pg_attribute
        where  attrelid = 'kb.documents'::regclass and attname = 'deleted_at' and not attisdropped);
begin
    execute format(
        'create function ml.live_documents() returns table (id uuid, project_id uuid) language sql stable as %L',
        'select d.id, d.project_id from kb.documents d' || case when marks then ' where d.deleted_at is null' else '' end);
end
$do$;

-- Their ids, until the sweep has looked whether a model has learnt from them. Without an organization: where a project
-- is deleted, its row is gone before those of its documents. The API has no right here.
create table ml.deleted_documents (
    id          bigint generated always as identity primary key,
    document_id uuid not null,
    at          timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- The triggers run with the rights of whoever deletes a document. All that this opens is a request to look: a document
-- that is there taints nothing.
grant insert on ml.deleted_documents to public;
grant select, insert, delete on ml.deleted_documents to ml_worker;

create or replace function ml.note_deleted_documents() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select p.organization_id, c.project_id, 'document', c.id, noted_at
    from   old_rows c
    join   kb.projects p on p.id = c.project_id;

    insert into ml.deleted_documents (document_id, at)
    select c.id, noted_at
    from   old_rows c;
    return null;
end
$$;

create function ml.note_marked_document() returns trigger language plpgsql as $$
begin
    insert into ml.deleted_documents (document_id, at) values (new.id, clock_timestamp());
    return null;
end
$$;

do $$
begin
    if exists (
        select from pg_attribute
        where  attrelid = 'kb.documents'::regclass and attname = 'deleted_at' and not attisdropped) then
        create trigger ml_note_mark after update of deleted_at on kb.documents
            for each row when (old.deleted_at is null and new.deleted_at is not null)
            execute function ml.note_marked_document();
    end if;
end
$$;

-- What was deleted before there was a trigger.
insert into ml.deleted_documents (document_id, at)
select distinct e.document_id, clock_timestamp()
from   ml.dataset_examples e
where  not exists (select 1 from ml.live_documents() d where d.id = e.document_id);

-- ------------------------------------------------------------------------------------------------------------ tainting

-- Marks what has learnt from the documents: validation examples choose checkpoints, held-out ones teach nothing. The
-- caller holds ml.lock_forgetting. A mark that is there stays.
create function ml.taint_models(documents uuid[], why text) returns integer language plpgsql as $$
declare
    marked integer;
begin
    with learnt as (
        insert into ml.model_taints (model_id, document_id, organization_id, cause, since)
        select distinct m.id, e.document_id, m.organization_id, why, clock_timestamp()
        from   ml.dataset_examples e
        join   ml.fine_tuned_models m on m.dataset_id = e.dataset_id
        where  e.document_id = any (documents)
        and    e.split <> 'test'
        on     conflict (model_id, document_id) do nothing
        returning model_id
    )
    update ml.fine_tuned_models m
    set    tainted_since = clock_timestamp(),
           taint_reason  = case why when 'forgotten' then 'it has learnt from a document that was forgotten'
                                    else 'it has learnt from a document that the product has deleted' end,
           updated_at    = clock_timestamp()
    where  m.id in (select model_id from learnt)
    and    m.tainted_since is null;
    get diagnostics marked = row_count;

    -- Also of models that another document had marked before.
    with recursive below as (
        select m.id, m.parent_model_id
        from   ml.fine_tuned_models m
        where  m.parent_model_id in (select t.model_id from ml.model_taints t where t.document_id = any (documents))
        union
        select m.id, m.parent_model_id
        from   ml.fine_tuned_models m
        join   below b on b.id = m.parent_model_id
    )
    update ml.fine_tuned_models m
    set    tainted_since = clock_timestamp(),
           taint_reason  = format('it is tuned on top of model %s, which is tainted', b.parent_model_id),
           updated_at    = clock_timestamp()
    from   below b
    where  m.id = b.id
    and    m.tainted_since is null;
    return marked;
end
$$;

-- A model that begins when a document of its dataset, or its parent, is tainted already.
create function ml.taint_new_model() returns trigger language plpgsql as $$
begin
    perform ml.lock_forgetting(is_shared => true);
    insert into ml.model_taints (model_id, document_id, organization_id, cause, since)
    select distinct new.id, e.document_id, new.organization_id,
           case when f.document_id is null then 'deleted' else 'forgotten' end, clock_timestamp()
    from   ml.dataset_examples e
    left   join ml.forgotten_documents f on f.document_id = e.document_id
    left   join ml.live_documents() d on d.id = e.document_id
    where  e.dataset_id = new.dataset_id
    and    e.split <> 'test'
    and    (f.document_id is not null or d.id is null)
    on     conflict (model_id, document_id) do nothing;

    if exists (select 1 from ml.model_taints t where t.model_id = new.id) then
        update ml.fine_tuned_models
        set    tainted_since = clock_timestamp(),
               taint_reason  = (
                   select case when bool_or(t.cause = 'forgotten') then 'it has learnt from a document that was forgotten'
                               else 'it has learnt from a document that the product has deleted' end
                   from   ml.model_taints t
                   where  t.model_id = new.id)
        where  id = new.id;
    elsif exists (select 1 from ml.fine_tuned_models p where p.id = new.parent_model_id and p.tainted_since is not null) then
        update ml.fine_tuned_models
        set    tainted_since = clock_timestamp(),
               taint_reason  = format('it is tuned on top of model %s, which is tainted', new.parent_model_id)
        where  id = new.id;
    end if;
    return null;
end
$$;
create trigger taint_new_model after insert on ml.fine_tuned_models
    for each row execute function ml.taint_new_model();
