-- Extractions of which a person says that their text holds nothing. What was found and rejected says so by itself; where
-- nothing was found, there is no object to reject.

-- Without foreign keys to the product's tables, as the log of changes: a job that is gone leaves a row that means nothing,
-- and the sweep removes it.
create table ml.confirmed_empty (
    job_id          uuid primary key,
    organization_id uuid not null,
    project_id      uuid not null,
    confirmed_by    text not null,
    confirmed_at    timestamptz not null
);
create index confirmed_empty_project on ml.confirmed_empty (project_id);
create index confirmed_empty_organization on ml.confirmed_empty (organization_id);

-- The API confirms and withdraws for people, the operator's command and the import do as members of ml_worker.
grant select, insert, delete on ml.confirmed_empty to ml_api, ml_worker;

alter table ml.confirmed_empty enable row level security;
create policy tenant on ml.confirmed_empty
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.confirmed_empty to ml_worker using (true) with check (true);

create trigger scope_guard before insert or update of organization_id, project_id on ml.confirmed_empty
    for each row execute function ml.scope_guard('product');

-- ------------------------------------------------------------------------------------------------------------ the log

-- The statistics count a confirmation as if it were an object of its extraction, under the extraction's id.

create function ml.note_confirmed_empty() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select c.organization_id, c.project_id, 'object', c.job_id, noted_at
    from   new_rows c;
    return null;
end
$$;

create function ml.note_withdrawn_empty() returns trigger language plpgsql as $$
declare
    noted_at constant timestamptz := clock_timestamp();
begin
    insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
    select c.organization_id, c.project_id, 'object', c.job_id, noted_at
    from   old_rows c;
    return null;
end
$$;

create trigger ml_note_insert after insert on ml.confirmed_empty referencing new table as new_rows
    for each statement execute function ml.note_confirmed_empty();
create trigger ml_note_delete after delete on ml.confirmed_empty referencing old table as old_rows
    for each statement execute function ml.note_withdrawn_empty();
create trigger ml_note_truncate after truncate on ml.confirmed_empty
    for each statement execute function ml.note_truncated();
