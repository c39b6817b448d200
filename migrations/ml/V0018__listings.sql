-- Vertex AI's list of tuning jobs is read over many deliveries and sweeps, so how far a reading has come is kept. The
-- values are those of ListingPass in shared/Tuning.

-- Of the create step, while it reads; null: no reading is under way.
alter table ml.training_runs add column listing jsonb;

alter table ml.tuning_attempts
    add column listed_from      timestamptz,                      -- begin of the whole list that preceded the intent
    add column last_listed_from timestamptz;                      -- begin of the list that counted last in list_checks

-- A call is made only after a whole list that began when every earlier attempt was settled: what an earlier attempt
-- made is on it.
create function ml.attempt_is_listed() returns trigger language plpgsql as $$
begin
    if exists (select 1 from ml.tuning_attempts a
               where  a.run_id = new.run_id
               and    a.resolved_at is not null
               and    (new.listed_from is null or new.listed_from < a.resolved_at)) then
        raise exception 'tuning jobs were not listed since the last attempt was settled' using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger attempt_is_listed before insert on ml.tuning_attempts
    for each row execute function ml.attempt_is_listed();

-- Of the sweep, which reads for all tenants.
create table ml.tuning_listings (
    vertex_parent text not null,
    purpose       text not null check (purpose in ('unanswered', 'duplicates')),
    state         jsonb not null,
    updated_at    timestamptz not null,
    primary key (vertex_parent, purpose)
);

grant select, insert, update, delete on ml.tuning_listings to ml_worker;
