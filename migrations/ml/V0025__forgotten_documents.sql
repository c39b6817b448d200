-- Where a document went, and documents that must be forgotten: no stored file holds them, and no export takes them
-- again.

-- ------------------------------------------------------------------------------------------------------------- lineage

create index dataset_examples_document on ml.dataset_examples (document_id);
create index dataset_examples_job on ml.dataset_examples (job_id);
create index fine_tuned_models_dataset on ml.fine_tuned_models (dataset_id);
create index fine_tuned_models_parent on ml.fine_tuned_models (parent_model_id) where parent_model_id is not null;

-- ------------------------------------------------------------------------------------------------------ the forgetting

-- A row stays for ever: a document that the product keeps must not be exported again. Without a foreign key to the
-- product's tables, and without the guard of a scope: the product may have deleted document and project before.
create table ml.forgotten_documents (
    document_id     uuid primary key,
    organization_id uuid not null,
    project_id      uuid,                                         -- null: nobody knows it any more
    requested_by    text not null check (requested_by <> ''),
    reason          text not null check (reason <> ''),
    requested_at    timestamptz not null,
    rewritten       integer not null default 0,                   -- datasets that have lost its examples
    waits_for       text,                                         -- for people; null: nothing, or not looked at yet
    next_look_at    timestamptz not null,
    completed_at    timestamptz,                                  -- no stored file holds it
    constraint completed_waits_for_nothing check (completed_at is null or waits_for is null)
);
create index forgotten_documents_open on ml.forgotten_documents (next_look_at) where completed_at is null;
create index forgotten_documents_organization on ml.forgotten_documents (organization_id, requested_at desc);

-- Objects in storage that no row names any more since a dataset was rewritten. Part of that transaction, so that a
-- worker that dies before it has deleted them leaves the list.
create table ml.objects_to_delete (
    id              bigint generated always as identity primary key,
    organization_id uuid not null,
    document_id     uuid not null,                                -- for whose sake
    uri             text not null,
    generation      bigint,                                       -- null: whatever is there
    at              timestamptz not null
);
create index objects_to_delete_document on ml.objects_to_delete (document_id);

grant select on ml.forgotten_documents, ml.objects_to_delete to ml_api, ml_worker;
grant insert, update on ml.forgotten_documents to ml_worker;
grant insert, delete on ml.objects_to_delete to ml_worker;

do $$
declare
    own    constant text := 'organization_id = any ((select nullif(current_setting(''app.organizations'', true), '''')'
                            '::uuid[])::uuid[])';
    wanted text;
begin
    foreach wanted in array array['forgotten_documents', 'objects_to_delete'] loop
        execute format('alter table ml.%I enable row level security', wanted);
        execute format('create policy tenant on ml.%I using (%s) with check (%s)', wanted, own, own);
        execute format('create policy chain on ml.%I to ml_worker using (true) with check (true)', wanted);
    end loop;
end
$$;

-- Held by who records a forgetting, and shared by what it must not miss: a dataset on its way, and a model. Whoever
-- comes second sees what the first has committed, because a statement after the lock has a snapshot of its own.
create function ml.lock_forgetting(is_shared boolean) returns void language sql volatile as $$
    select case when is_shared then pg_advisory_xact_lock_shared(hashtextextended('ml.forgotten_documents', 0))
                else pg_advisory_xact_lock(hashtextextended('ml.forgotten_documents', 0)) end
$$;

-- An export that read before a document was forgotten must not bring it back: it is refused, and begins again.
create function ml.forgotten_guard() returns trigger language plpgsql as $$
begin
    perform ml.lock_forgetting(is_shared => true);
    if exists (
        select 1
        from   ml.forgotten_documents f
        join   ml.dataset_examples e on e.document_id = f.document_id
        where  e.dataset_id = new.id
        and    f.organization_id = new.organization_id) then
        raise exception 'a document of the dataset was forgotten while it was exported'
            using errcode = '23514', constraint = 'no_forgotten_document';
    end if;
    return null;
end
$$;
create trigger forgotten_guard after insert on ml.datasets for each row execute function ml.forgotten_guard();

-- ---------------------------------------------------------------------------------------------- a dataset is rewritten

-- Nothing may be left in a file.
alter table ml.datasets
    drop constraint datasets_train_bytes_check,
    drop constraint datasets_train_examples_check,
    add constraint datasets_train_bytes_check check (train_bytes >= 0),
    add constraint datasets_train_examples_check check (train_examples >= 0),
    add constraint no_examples_no_bytes check ((train_examples = 0) = (train_bytes = 0));

-- Scope, run, seed, snapshot and prompt are what they were.
grant update (train_uri, train_generation, train_sha256, train_bytes, train_examples, validation_uri, validation_generation,
              validation_sha256, validation_bytes, validation_examples, test_uri, test_generation, test_sha256, test_bytes,
              test_examples, estimated_tokens, statistics)
on    ml.datasets to ml_worker;
grant delete on ml.dataset_examples, ml.evaluation_answers to ml_worker;
-- Why an answer could not be read may quote it.
grant update (problem) on ml.extraction_results to ml_worker;
