-- What the latest check of a scope found that spends nothing: whether there is enough to train is known from here and not
-- from the counts, which do not read the texts. One row a scope. Without a foreign key to the product's tables, as a check
-- must never keep the product from deleting a project.

create table ml.preflights (
    id              uuid primary key,
    organization_id uuid not null,
    project_id      uuid,                                         -- null: the general model of the organization
    checked_at      timestamptz not null,                         -- of the one consistent reading
    requested_by    text not null,
    report          jsonb not null,                               -- counts, exclusions and refusals; no text of the data
    constraint one_preflight_per_scope unique nulls not distinct (organization_id, project_id)
);

grant select, insert, update on ml.preflights to ml_api, ml_worker;

alter table ml.preflights enable row level security;
create policy tenant on ml.preflights
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.preflights to ml_worker using (true) with check (true);


create trigger scope_guard before insert or update of organization_id, project_id on ml.preflights
    for each row execute function ml.scope_guard('product');
