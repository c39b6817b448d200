-- What the hourly tick keeps of a schedule between two looks at it, and what holds trainings back: a monthly limit of an
-- organization, and a switch for the whole installation.

alter table ml.training_schedules
    add column active_since      timestamptz,                     -- switched on; what was before is not made up for
    add column next_check_at     timestamptz,                     -- null: nothing can become due by itself
    add column open_run_id       uuid,                            -- started last, and its end is not dealt with
    add column retries           integer not null default 0 check (retries between 0 and 10),
    add column tried_examples    integer check (tried_examples >= 0),   -- new examples that the last threshold run had
    add column tried_at          timestamptz,
    add column answered_model_id uuid,                            -- general model that a retraining was started for
    add column notified_model_id uuid,                            -- general model that admins were told of
    add foreign key (open_run_id, organization_id) references ml.training_runs (id, organization_id),
    add foreign key (answered_model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    add foreign key (notified_model_id, organization_id) references ml.fine_tuned_models (id, organization_id);

update ml.training_schedules
set    active_since  = updated_at,
       next_check_at = updated_at
where  enabled;

alter table ml.training_schedules
    add constraint enabled_has_a_start check (not enabled or active_since is not null),
    add constraint tried_has_a_time check ((tried_at is null) = (tried_examples is null)),
    add constraint decision_is_complete check (
        (last_decision is null) = (last_decision_at is null)
        and (last_decision is null) = (last_decision_reason is null)
        and last_decision in ('started', 'waiting', 'not_due', 'skipped', 'gave_up'));

-- The tick goes by this time alone: a slot, a repeat and a threshold are all reasons to look.
drop index ml.training_schedules_due;
create index training_schedules_check on ml.training_schedules (next_check_at) where next_check_at is not null;

-- The tick asks which projects of an organization are being trained again.
create index training_runs_retraining on ml.training_runs (organization_id)
    where trigger = 'general_update' and state not in ('succeeded', 'failed', 'skipped', 'cancelled');

-- -------------------------------------------------------------------------------------------------------- spending

-- Binds every training of the organization and of its projects, whoever starts it and whether the schedule is on.
alter table ml.training_schedules
    add column monthly_limit_usd numeric(12, 2) check (monthly_limit_usd >= 0),
    add constraint limit_of_organization check (monthly_limit_usd is null or project_id is null);

-- What a call is expected to cost is part of the intent: the sum of a month is what was spent or may still be.
alter table ml.tuning_attempts
    add column estimated_cost_usd numeric(12, 4) not null default 0 check (estimated_cost_usd >= 0);

update ml.tuning_attempts a
set    estimated_cost_usd = coalesce(r.estimated_cost_usd, 0)
from   ml.training_runs r
where  r.id = a.run_id;

create index tuning_attempts_spending on ml.tuning_attempts (organization_id, sent_at) include (estimated_cost_usd)
    where state not in ('rejected', 'absent');

create function ml.attempt_cost_guard() returns trigger language plpgsql as $$
begin
    if new.estimated_cost_usd <> old.estimated_cost_usd then
        raise exception 'the intent is immutable' using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger attempt_cost_guard before update of estimated_cost_usd on ml.tuning_attempts
    for each row execute function ml.attempt_cost_guard();

-- While a row is open, no tuning job is made. The others say who stopped and resumed, and when.
create table ml.spending_stops (
    id         bigint generated always as identity primary key,
    stopped_at timestamptz not null,
    stopped_by text not null check (stopped_by <> ''),
    reason     text not null check (reason <> ''),
    resumed_at timestamptz check (resumed_at >= stopped_at),
    resumed_by text,
    constraint resumed_is_signed check ((resumed_at is null) = (resumed_by is null))
);
create unique index one_open_stop on ml.spending_stops ((true)) where resumed_at is null;

-- Of the whole installation, and without anybody's data: the API shows it, operators set it.
grant select on ml.spending_stops to ml_api, ml_worker;
grant insert, update on ml.spending_stops to ml_worker;

-- A run that may not spend ends where the next step would.
create or replace function ml.run_may_move(from_state text, to_state text) returns boolean language sql immutable as $$
    select (from_state, to_state) in (values
        ('requested', 'exporting'), ('requested', 'skipped'), ('requested', 'failed'), ('requested', 'cancelling'),
        ('exporting', 'exported'), ('exporting', 'skipped'), ('exporting', 'failed'), ('exporting', 'cancelling'),
        ('exporting', 'succeeded'),
        ('exported', 'creating'), ('exported', 'skipped'), ('exported', 'failed'), ('exported', 'cancelling'),
        ('creating', 'tuning'), ('creating', 'create_unknown'), ('creating', 'exported'), ('creating', 'failed'),
        ('creating', 'cancelling'),
        ('create_unknown', 'tuning'), ('create_unknown', 'creating'), ('create_unknown', 'needs_operator'),
        ('create_unknown', 'skipped'), ('create_unknown', 'failed'), ('create_unknown', 'cancelling'),
        ('tuning', 'evaluating'), ('tuning', 'failed'), ('tuning', 'cancelling'),
        ('evaluating', 'succeeded'), ('evaluating', 'failed'), ('evaluating', 'cancelling'),
        ('cancelling', 'cancelled'), ('cancelling', 'failed'), ('cancelling', 'needs_operator'),
        ('needs_operator', 'tuning'), ('needs_operator', 'failed'), ('needs_operator', 'cancelled'))
$$;

-- ---------------------------------------------------------------------------------------------------------- grants

-- The worker adds a row for a project that its organization trains again and that has none. The API changes what people
-- set, and with it when to look next.
grant insert on ml.training_schedules to ml_api, ml_worker;
grant update (enabled, threshold_enabled, threshold_count, cron_enabled, cron_expression, time_zone,
              retrain_on_general_update, notify_project_admins, retrain_projects, monthly_limit_usd, parameters,
              active_since, next_scheduled_at, next_check_at, open_run_id, retries, row_version, updated_at)
on    ml.training_schedules to ml_api;
