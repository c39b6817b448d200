-- The product deletes and moves what is its own without asking us: no key of ours stands in the way, and nothing that a paid job
-- hangs on goes with a row of the product's. The sweep ends the runs of a scope that is gone, and forgets its statistics.

-- ------------------------------------------------------------------------------- no foreign key to the product's tables

do $$
declare
    found record;
begin
    for found in
        select c.conrelid::regclass as table_name, c.conname
        from   pg_constraint c
        join   pg_class owner on owner.oid = c.conrelid
        join   pg_class target on target.oid = c.confrelid
        where  c.contype = 'f'
        and    owner.relnamespace = 'ml'::regnamespace
        and    target.relnamespace::regnamespace::text in ('core', 'kb')
    loop
        execute format('alter table %s drop constraint %I', found.table_name, found.conname);
    end loop;
end
$$;

-- It was there for those keys alone.
alter table kb.projects drop constraint if exists projects_id_organization_key;

-- What the keys said of a new row is said here: its organization exists, and its project is one of it. A row that is there already
-- says nothing of the product's rows of today.
--
-- tg_argv[0] says what a new row hangs on:
--   product   the scope as the product has it: what begins something
--   history   the same, or a scope that has runs: what is written of a run whose project is gone
--   run       the scope of its run, which is named by the column tg_argv[1]
create function ml.scope_guard() returns trigger language plpgsql as $$
declare
    is_known boolean;
begin
    if tg_argv[0] = 'run' then
        is_known := exists (
            select 1
            from   ml.training_runs r
            where  r.id = (to_jsonb(new) ->> tg_argv[1])::uuid
            and    r.organization_id = new.organization_id
            and    r.project_id is not distinct from new.project_id);
    else
        is_known := case
            when new.project_id is null then exists (select 1 from kb.orgs o where o.id = new.organization_id)
            else exists (
                select 1 from kb.projects p where p.id = new.project_id and p.organization_id = new.organization_id)
            end;
        if not is_known and tg_argv[0] = 'history' then
            is_known := exists (
                select 1
                from   ml.training_runs r
                where  r.organization_id = new.organization_id
                and    r.project_id is not distinct from new.project_id);
        end if;
    end if;

    if not is_known then
        raise exception 'organization % has no project %', new.organization_id, coalesce(new.project_id::text, '(none)')
            using errcode = '23503', constraint = 'scope_exists', schema = tg_table_schema, table = tg_table_name;
    end if;

    return new;
end
$$;

create trigger scope_guard before insert or update of organization_id, project_id on ml.training_schedules
    for each row execute function ml.scope_guard('product');
create trigger scope_guard before insert on ml.training_runs
    for each row execute function ml.scope_guard('product');
create trigger scope_guard before insert or update of organization_id, project_id on ml.extraction_results
    for each row execute function ml.scope_guard('product');
create trigger scope_guard before insert or update of organization_id, project_id on ml.counted_projects
    for each row execute function ml.scope_guard('product');
create trigger scope_guard before insert or update of organization_id, project_id on ml.audit_log
    for each row execute function ml.scope_guard('history');
create trigger scope_guard before insert or update of organization_id, project_id, run_id on ml.datasets
    for each row execute function ml.scope_guard('run', 'run_id');
create trigger scope_guard before insert on ml.fine_tuned_models
    for each row execute function ml.scope_guard('run', 'id');

-- The sweep asks for live runs whose scope is gone; final ones are the most by far.
create index training_runs_unfinished on ml.training_runs (organization_id, project_id)
    where state not in ('succeeded', 'failed', 'skipped', 'cancelled', 'cancelling', 'needs_operator');

-- ------------------------------------------------------------------------------------ documents that are processed again

-- Instead of "delete from kb.chunks where document_id = ...", by whoever processes a document again. With the caller's own rights
-- and under the caller's row security, so that it opens nothing.
create function ml.soft_delete_chunks(document_id uuid) returns integer
    language sql volatile set search_path = pg_catalog, pg_temp
as $$
    with deleted as (
        update kb.chunks c
        set    deleted_at = clock_timestamp(),
               updated_at = clock_timestamp()
        where  c.document_id = soft_delete_chunks.document_id
        and    c.deleted_at is null
        returning 1
    )
    select count(*)::integer from deleted
$$;

comment on function ml.soft_delete_chunks(uuid) is
    'Marks the live chunks of a document deleted, before its new ones are inserted; returns how many. What was extracted '
    'from them stays, and trainings still find their text.';

create function ml.keep_chunk() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    -- The document itself went before: this is its foreign key, and a chunk that stayed would be nobody's.
    if not exists (select 1 from kb.documents d where d.id = old.document_id) then
        return old;
    end if;

    update kb.chunks
    set    deleted_at = clock_timestamp(),
           updated_at = clock_timestamp()
    where  id = old.id
    and    deleted_at is null;
    return null;
end
$$;

comment on function ml.keep_chunk() is
    'A deletion of chunks marks them deleted in a transaction that said so: '
    'select set_config(''feedbackloop.reprocessing'', ''on'', true). Otherwise it deletes.';

-- Inert without the setting: a deletion that is not marked does not even call the function.
create trigger ml_keep_chunk before delete on kb.chunks
    for each row when (current_setting('feedbackloop.reprocessing', true) = 'on')
    execute function ml.keep_chunk();

-- ----------------------------------------------------------------------------------- no index that the product has as well

-- Ours go where another one begins with the same columns in the same order and holds at least the same rows, whatever its name.
do $$
declare
    ours record;
begin
    for ours in
        select i.indexrelid::regclass as index_name
        from   pg_index i
        join   pg_class c on c.oid = i.indexrelid and c.relnamespace = 'kb'::regnamespace
        where  c.relname in ('graph_objects_project', 'graph_objects_extraction', 'chunks_document', 'chunks_deleted',
                             'object_extraction_jobs_chunk', 'object_extraction_jobs_document',
                             'object_extraction_jobs_source')
        and    exists (
            select 1
            from   pg_index other
            join   pg_class o on o.oid = other.indexrelid and o.relam = c.relam
            where  other.indrelid = i.indrelid
            and    other.indexrelid <> i.indexrelid
            and    other.indisvalid
            and    other.indnkeyatts >= i.indnkeyatts
            and    (other.indpred is null
                    or pg_get_expr(other.indpred, other.indrelid) = pg_get_expr(i.indpred, i.indrelid))
            and    not exists (
                select 1
                from   generate_series(1, i.indnkeyatts) as k (place)
                where  pg_get_indexdef(other.indexrelid, k.place, false)
                           <> pg_get_indexdef(i.indexrelid, k.place, false)
                or     other.indclass[k.place - 1] <> i.indclass[k.place - 1]
                or     other.indoption[k.place - 1] <> i.indoption[k.place - 1]
                or     other.indcollation[k.place - 1] <> i.indcollation[k.place - 1]))
    loop
        execute format('drop index %s', ours.index_name);
    end loop;
end
$$;
