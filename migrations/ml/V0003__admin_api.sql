-- What the admin API needs: exports without a training, the history of a run's states, and answers that a repeated request
-- gets again.

-- ------------------------------------------------------------------------------------------- exports of their own

alter table ml.training_runs add column purpose text not null default 'training'
    check (purpose in ('training', 'export'));

-- An export and a training of one scope do not disturb each other: each has its own version, and so its own folder.
drop index ml.one_live_run;
create unique index one_live_run on ml.training_runs (organization_id, project_id, purpose) nulls not distinct
    where state not in ('succeeded', 'failed', 'skipped', 'cancelled');

drop index ml.training_runs_scope;
create index training_runs_scope on ml.training_runs (organization_id, project_id, purpose, created_at desc, id desc);

alter table ml.training_runs drop constraint success_has_a_model;
alter table ml.training_runs add constraint success_has_a_result check (
    state <> 'succeeded' or case purpose when 'training' then model_id is not null else dataset_id is not null end);
alter table ml.training_runs add constraint export_makes_no_model check (
    purpose = 'training' or (model_id is null and state in (
        'requested', 'exporting', 'cancelling', 'succeeded', 'failed', 'skipped', 'cancelled')));

create or replace function ml.run_may_move(from_state text, to_state text) returns boolean language sql immutable as $$
    select (from_state, to_state) in (values
        ('requested', 'exporting'), ('requested', 'skipped'), ('requested', 'failed'), ('requested', 'cancelling'),
        ('exporting', 'exported'), ('exporting', 'skipped'), ('exporting', 'failed'), ('exporting', 'cancelling'),
        ('exporting', 'succeeded'),
        ('exported', 'creating'), ('exported', 'failed'), ('exported', 'cancelling'),
        ('creating', 'tuning'), ('creating', 'create_unknown'), ('creating', 'exported'), ('creating', 'failed'),
        ('creating', 'cancelling'),
        ('create_unknown', 'tuning'), ('create_unknown', 'creating'), ('create_unknown', 'needs_operator'),
        ('create_unknown', 'failed'), ('create_unknown', 'cancelling'),
        ('tuning', 'evaluating'), ('tuning', 'failed'), ('tuning', 'cancelling'),
        ('evaluating', 'succeeded'), ('evaluating', 'failed'), ('evaluating', 'cancelling'),
        ('cancelling', 'cancelled'), ('cancelling', 'failed'), ('cancelling', 'needs_operator'),
        ('needs_operator', 'tuning'), ('needs_operator', 'failed'), ('needs_operator', 'cancelled'))
$$;

create function ml.purpose_guard() returns trigger language plpgsql as $$
begin
    if new.purpose <> old.purpose then
        raise exception 'the purpose of a run is immutable' using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger purpose_guard before update of purpose on ml.training_runs
    for each row execute function ml.purpose_guard();

-- -------------------------------------------------------------------------------------------- history of a run

create table ml.run_events (
    id              bigint generated always as identity primary key,
    organization_id uuid not null,
    run_id          uuid not null,
    state           text not null,
    reason          text,
    at              timestamptz not null,
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id)
);
create index run_events_run on ml.run_events (run_id, id);

-- Written by the database, so that no statement that moves a run can forget it.
create function ml.record_run_event() returns trigger language plpgsql as $$
begin
    insert into ml.run_events (organization_id, run_id, state, reason, at)
    values (new.organization_id, new.id, new.state, new.reason, clock_timestamp());
    return null;
end
$$;
create trigger run_created after insert on ml.training_runs
    for each row execute function ml.record_run_event();
create trigger run_moved after update of state on ml.training_runs
    for each row when (old.state <> new.state) execute function ml.record_run_event();

-- Of older runs only the start and the present state are known.
insert into ml.run_events (organization_id, run_id, state, reason, at)
select organization_id, id, 'requested', null, created_at
from   ml.training_runs
order  by created_at, id;

insert into ml.run_events (organization_id, run_id, state, reason, at)
select organization_id, id, state, reason, coalesce(ended_at, updated_at)
from   ml.training_runs
where  state <> 'requested'
order  by coalesce(ended_at, updated_at), id;

-- ---------------------------------------------------------------------------------------- requests sent twice

create table ml.idempotency_keys (
    actor           text not null check (actor <> ''),
    key             text not null check (length(key) between 1 and 200),
    organization_id uuid not null references kb.orgs (id),
    request_sha256  bytea not null check (octet_length(request_sha256) = 32),
    run_id          uuid not null,
    created_at      timestamptz not null,
    primary key (actor, key),
    -- Deferred: the key is taken first, so that the same request at the same time waits for this one.
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id)
        deferrable initially deferred
);
create index idempotency_keys_run on ml.idempotency_keys (run_id);

-- The last dataset of an organization tells how long its examples are.
create index datasets_organization on ml.datasets (organization_id, created_at desc);
