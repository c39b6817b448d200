-- What the hourly tick keeps of a schedule between two looks at it, and who may write it.

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

-- The worker adds a row for a project that its organization trains again and that has none. The API changes what people
-- set, and with it when to look next.
grant insert on ml.training_schedules to ml_api, ml_worker;
grant update (enabled, threshold_enabled, threshold_count, cron_enabled, cron_expression, time_zone,
              retrain_on_general_update, notify_project_admins, retrain_projects, parameters, active_since,
              next_scheduled_at, next_check_at, open_run_id, retries, row_version, updated_at)
on    ml.training_schedules to ml_api;
