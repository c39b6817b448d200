-- A verified object outlives the chunk that it came from: re-processing a document marks its old chunks deleted instead
-- of removing them, so that training still finds the text.

alter table kb.chunks add column if not exists deleted_at timestamptz;

comment on column kb.chunks.deleted_at is
    'Set when the document was processed again. Ordinary queries filter deleted_at is null; training queries do not.';

-- The old rule "one chunk per document and index" would refuse the new chunks beside the deleted ones. Its name differs
-- between generations of the product, so it is found by its columns.
do $$
declare
    found record;
begin
    for found in
        select i.indexrelid::regclass as index_name, c.conname as constraint_name
        from   pg_index i
        left   join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'u'
        where  i.indrelid = 'kb.chunks'::regclass
        and    i.indisunique
        and    not i.indisprimary
        and    i.indpred is null
        and    (select array_agg(a.attname::text order by k.ordinality)
                from   unnest(i.indkey::int2[]) with ordinality as k (attnum, ordinality)
                join   pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum)
               = array['document_id', 'chunk_index']
    loop
        if found.constraint_name is not null then
            execute format('alter table kb.chunks drop constraint %I', found.constraint_name);
        else
            execute format('drop index %s', found.index_name);
        end if;
    end loop;
end
$$;

create unique index if not exists chunks_live_index on kb.chunks (document_id, chunk_index) where deleted_at is null;
create index if not exists chunks_deleted on kb.chunks (document_id, deleted_at) where deleted_at is not null;
