-- Where workers export to, from before they store the first byte until the transaction that records the dataset. What
-- is still here when its claim is long over was left by a worker that died, was too late, or had too little data: the
-- sweep deletes the files of the folder and then the row, without ever having to list a bucket.

create table ml.unrecorded_exports (
    run_id          uuid not null,
    epoch           integer not null,                             -- of the worker's claim, which the folder is named after
    organization_id uuid not null,
    uri             text not null check (uri like '%/'),          -- folder, with a slash at the end
    begun_at        timestamptz not null,
    next_look_at    timestamptz not null,                         -- later than begun_at once files could not be deleted
    last_error      text check (length(last_error) <= 1000),
    primary key (run_id, epoch),
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id)
);
create index unrecorded_exports_due on ml.unrecorded_exports (next_look_at);

grant select on ml.unrecorded_exports to ml_api;
grant select, insert, update, delete on ml.unrecorded_exports to ml_worker;

alter table ml.unrecorded_exports enable row level security;
create policy tenant on ml.unrecorded_exports
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.unrecorded_exports to ml_worker using (true) with check (true);
