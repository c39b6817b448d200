-- Runs, datasets, tuning attempts, the registry, schedules and the outbox. What must never happen is refused here, by a
-- constraint or a trigger, whatever the code above does.
--
-- A scope is (organization_id, project_id); project_id null means the general model of the organization.
-- Lease, due and quiet times are written and compared by the database's clock_timestamp(), the one clock that all
-- workers share; now() would be the start of the transaction.

-- Target of the tenant keys below: a row can only name a project of its own organization.
do $$
begin
    if not exists (
        select 1
        from   pg_constraint
        where  conrelid = 'kb.projects'::regclass
        and    conname = 'projects_id_organization_key'
    ) then
        alter table kb.projects add constraint projects_id_organization_key unique (id, organization_id);
    end if;
end
$$;

-- ------------------------------------------------------------------------------------------------------- schedules

create table ml.training_schedules (
    id                        uuid primary key,
    organization_id           uuid not null references kb.orgs (id),
    project_id                uuid,
    enabled                   boolean not null default false,
    threshold_enabled         boolean not null default false,
    threshold_count           integer not null default 100 check (threshold_count > 0),
    cron_enabled              boolean not null default false,
    cron_expression           text check (length(cron_expression) <= 100),
    time_zone                 text,
    retrain_on_general_update boolean not null default false,
    notify_project_admins     boolean not null default false,
    retrain_projects          boolean not null default false,
    parameters                jsonb not null default '{}',
    last_training_at          timestamptz,
    last_example_count        integer check (last_example_count >= 0),
    next_scheduled_at         timestamptz,
    last_decision             text,
    last_decision_reason      text,
    last_decision_at          timestamptz,
    row_version               integer not null default 1,
    created_at                timestamptz not null,
    updated_at                timestamptz not null,
    unique (id, organization_id),
    constraint one_schedule_per_scope unique nulls not distinct (organization_id, project_id),
    foreign key (project_id, organization_id) references kb.projects (id, organization_id),
    constraint cron_complete check (not cron_enabled or (cron_expression is not null and time_zone is not null)),
    -- Switching a schedule off clears its next slot, so that switching it on again starts from that moment.
    constraint no_backfill check (next_scheduled_at is null or (enabled and cron_enabled)),
    constraint no_self_trigger check (not retrain_on_general_update or project_id is not null),
    constraint projects_of_organization check (
        (not notify_project_admins and not retrain_projects) or project_id is null)
);
create index training_schedules_due on ml.training_schedules (next_scheduled_at) where enabled and cron_enabled;

-- ------------------------------------------------------------------------------------------------------------ runs

create function ml.run_is_final(state text) returns boolean language sql immutable as $$
    select state in ('succeeded', 'failed', 'skipped', 'cancelled')
$$;

create function ml.run_may_move(from_state text, to_state text) returns boolean language sql immutable as $$
    select (from_state, to_state) in (values
        ('requested', 'exporting'), ('requested', 'skipped'), ('requested', 'failed'), ('requested', 'cancelling'),
        ('exporting', 'exported'), ('exporting', 'skipped'), ('exporting', 'failed'), ('exporting', 'cancelling'),
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

create table ml.training_runs (
    id                 uuid primary key,
    organization_id    uuid not null references kb.orgs (id),
    project_id         uuid,
    trigger            text not null check (trigger in ('manual', 'threshold', 'cron', 'general_update', 'retry')),
    schedule_id        uuid,
    slot               timestamptz,
    requested_by       text not null check (requested_by <> ''),
    parameters         jsonb not null,
    version            bigint not null check (version > 0),      -- milliseconds since 1970; names the dataset's folder
    state              text not null default 'requested' check (state in (
                           'requested', 'exporting', 'exported', 'creating', 'create_unknown', 'tuning', 'evaluating',
                           'cancelling', 'needs_operator', 'succeeded', 'failed', 'skipped', 'cancelled')),
    reason             text,
    epoch              integer not null default 0,               -- grows with every claim: a fence for stale workers
    lease_until        timestamptz,
    not_before         timestamptz not null,
    step_attempts      integer not null default 0,
    deadline_at        timestamptz not null,
    ends_as            text check (ends_as in ('cancelled', 'failed')),
    next_poll_at       timestamptz,
    poll_count         integer not null default 0,
    progress           jsonb,
    dataset_id         uuid,
    estimated_cost_usd numeric(12, 4) check (estimated_cost_usd >= 0),
    model_id           uuid,
    created_at         timestamptz not null,
    updated_at         timestamptz not null,
    ended_at           timestamptz,
    unique (id, organization_id),
    constraint one_run_per_slot unique (schedule_id, slot),
    constraint one_version_per_scope unique nulls not distinct (organization_id, project_id, version),
    foreign key (project_id, organization_id) references kb.projects (id, organization_id),
    foreign key (schedule_id, organization_id) references ml.training_schedules (id, organization_id),
    constraint slot_of_cron check ((trigger = 'cron') = (slot is not null) and (slot is null or schedule_id is not null)),
    constraint reason_given check (state not in ('skipped', 'failed', 'needs_operator', 'cancelled') or reason <> ''),
    constraint cancelling_has_an_end check (state <> 'cancelling' or ends_as is not null),
    constraint dataset_before_creating check (
        dataset_id is not null
        or state in ('requested', 'exporting', 'skipped', 'failed', 'cancelling', 'cancelled')),
    constraint tuning_is_polled check (state not in ('tuning', 'cancelling') or next_poll_at is not null),
    constraint model_of_this_run check (model_id is null or model_id = id),
    constraint success_has_a_model check (state <> 'succeeded' or model_id is not null),
    constraint final_has_an_end check (ml.run_is_final(state) = (ended_at is not null))
);

-- needs_operator still blocks its scope: nothing is spent behind the operator's back.
create unique index one_live_run on ml.training_runs (organization_id, project_id) nulls not distinct
    where state not in ('succeeded', 'failed', 'skipped', 'cancelled');
create index training_runs_live on ml.training_runs (not_before)
    where state not in ('succeeded', 'failed', 'skipped', 'cancelled', 'needs_operator');
create index training_runs_scope on ml.training_runs (organization_id, project_id, created_at desc);

-- -------------------------------------------------------------------------------------------------------- datasets

create table ml.datasets (
    id                    uuid primary key,
    organization_id       uuid not null references kb.orgs (id),
    project_id            uuid,
    run_id                uuid not null,
    uri                   text not null,                          -- folder, with a slash at the end
    seed                  bigint not null,
    prompt_hash           text not null check (prompt_hash ~ '^[0-9a-f]{64}$'),
    snapshot_at           timestamptz not null,
    train_uri             text not null,
    train_generation      bigint not null,
    train_sha256          text not null check (train_sha256 ~ '^[0-9a-f]{64}$'),
    train_bytes           bigint not null check (train_bytes > 0),
    train_examples        integer not null check (train_examples > 0),
    validation_uri        text,                                   -- null: no document fell on the validation side
    validation_sha256     text check (validation_sha256 ~ '^[0-9a-f]{64}$'),
    validation_bytes      bigint,
    validation_examples   integer not null default 0 check (validation_examples between 0 and 5000),
    estimated_tokens      bigint not null check (estimated_tokens >= 0),   -- of train.jsonl, one epoch
    statistics            jsonb not null,                         -- the content of metadata.json
    created_at            timestamptz not null,
    unique (id, organization_id),
    foreign key (project_id, organization_id) references kb.projects (id, organization_id),
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id),
    constraint validation_complete check ((validation_uri is null) = (validation_examples = 0)
        and (validation_uri is null) = (validation_sha256 is null)
        and (validation_uri is null) = (validation_bytes is null))
);
create index datasets_run on ml.datasets (run_id);

alter table ml.training_runs add foreign key (dataset_id, organization_id)
    references ml.datasets (id, organization_id);

create table ml.dataset_examples (
    dataset_id      uuid not null,
    organization_id uuid not null,
    job_id          uuid not null,
    chunk_id        uuid not null,
    document_id     uuid not null,
    split           text not null check (split in ('train', 'validation')),
    content_hash    bytea not null check (octet_length(content_hash) = 32),
    primary key (dataset_id, job_id, chunk_id),
    -- Deferred: the examples are written while they pass by, the dataset's row with their totals after them.
    foreign key (dataset_id, organization_id) references ml.datasets (id, organization_id)
        deferrable initially deferred
);
create index dataset_examples_chunk on ml.dataset_examples (chunk_id);

-- -------------------------------------------------------------------- tuning attempts: the intent before the call

create table ml.tuning_attempts (
    run_id             uuid not null,
    organization_id    uuid not null,
    attempt            smallint not null check (attempt between 1 and 100),
    state              text not null default 'sending' check (state in (
                           'sending', 'unknown', 'rejected', 'absent', 'created', 'closed')),
    vertex_parent      text not null check (vertex_parent ~ '^projects/[^/]+/locations/[^/]+$'),
    run_label          text not null check (run_label ~ '^[a-z0-9_-]{1,63}$'),
    dataset_uri        text not null check (dataset_uri like 'gs://%'),
    dataset_generation bigint not null,
    base_model         text not null,
    parent_model_id    uuid,                                      -- null: tuned from the base model itself
    pre_tuned_model    text,
    request_sha256     text not null check (request_sha256 ~ '^[0-9a-f]{64}$'),
    sent_at            timestamptz not null,
    token_expires_at   timestamptz not null,
    quiet_until        timestamptz not null,
    list_checks        integer not null default 0,
    next_check_at      timestamptz not null,
    status_code        text,
    detail             text,
    tuning_job         text,
    job_ended_at       timestamptz,
    dataset_deleted_at timestamptz,
    resolved_at        timestamptz,
    closed_by          text,
    closed_reason      text,
    primary key (run_id, attempt),
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id),
    -- 300 seconds of token life and 30 of clock tolerance: a late sender is refused by Google itself.
    constraint short_token check (token_expires_at <= sent_at + interval '330 seconds'),
    constraint parent_complete check ((parent_model_id is null) = (pre_tuned_model is null)),
    constraint long_quiet check (quiet_until >= sent_at + interval '2 hours'),
    constraint job_iff_created check ((state = 'created') = (tuning_job is not null)),
    constraint absent_is_proven check (state <> 'absent' or coalesce(
        resolved_at >= quiet_until and resolved_at >= dataset_deleted_at + interval '60 seconds' and list_checks >= 2,
        false)),
    constraint closed_is_signed check (state <> 'closed' or (closed_by is not null and closed_reason is not null))
);
create unique index one_open_attempt on ml.tuning_attempts (run_id) where state in ('sending', 'unknown', 'created');
-- "No job was made" is concluded once per run; a second unknown answer goes to an operator.
create unique index one_presumed_absent on ml.tuning_attempts (run_id) where state = 'absent';
create unique index one_run_per_tuning_job on ml.tuning_attempts (tuning_job) where tuning_job is not null;

create function ml.attempt_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'sending' then
            raise exception 'an attempt starts as sending' using errcode = '23514';
        end if;
        if not exists (select 1 from ml.training_runs r where r.id = new.run_id and r.state = 'creating') then
            raise exception 'the run is not creating' using errcode = '23514';
        end if;
        if exists (select 1 from ml.tuning_attempts a
                   where a.run_id = new.run_id and a.dataset_uri = new.dataset_uri
                   and a.state in ('unknown', 'absent', 'closed')) then
            raise exception 'the dataset object of an unresolved attempt must not be used again'
                using errcode = '23514';
        end if;
        return new;
    end if;
    if (new.run_id, new.organization_id, new.attempt, new.run_label, new.dataset_uri, new.dataset_generation,
        new.base_model, new.parent_model_id, new.pre_tuned_model, new.request_sha256, new.vertex_parent, new.sent_at,
        new.token_expires_at)
       is distinct from
       (old.run_id, old.organization_id, old.attempt, old.run_label, old.dataset_uri, old.dataset_generation,
        old.base_model, old.parent_model_id, old.pre_tuned_model, old.request_sha256, old.vertex_parent, old.sent_at,
        old.token_expires_at) then
        raise exception 'the intent is immutable' using errcode = '23514';
    end if;
    if new.quiet_until < old.quiet_until then
        raise exception 'quiet time cannot shrink' using errcode = '23514';
    end if;
    -- unknown never becomes rejected: only the service's own refusal is one.
    if new.state <> old.state and (old.state, new.state) not in (
        ('sending', 'unknown'), ('sending', 'rejected'), ('sending', 'created'),
        ('unknown', 'created'), ('unknown', 'absent'), ('unknown', 'closed')) then
        raise exception 'illegal attempt step % -> %', old.state, new.state using errcode = '23514';
    end if;
    if new.state <> old.state and new.state <> 'unknown' then
        new.resolved_at := clock_timestamp();
    end if;
    return new;
end
$$;
create trigger attempt_guard before insert or update on ml.tuning_attempts
    for each row execute function ml.attempt_guard();

create function ml.run_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'requested' then
            raise exception 'a run starts as requested' using errcode = '23514';
        end if;
        return new;
    end if;
    if (new.organization_id, new.project_id, new.version, new.parameters, new.schedule_id, new.slot)
       is distinct from
       (old.organization_id, old.project_id, old.version, old.parameters, old.schedule_id, old.slot) then
        raise exception 'scope, version, parameters and slot of a run are immutable' using errcode = '23514';
    end if;
    if new.epoch < old.epoch then
        raise exception 'the epoch of a run cannot go back' using errcode = '23514';
    end if;
    if old.dataset_id is not null and new.dataset_id is distinct from old.dataset_id then
        raise exception 'the dataset of a run is immutable' using errcode = '23514';
    end if;
    if new.state <> old.state then
        if not ml.run_may_move(old.state, new.state) then
            raise exception 'illegal run step % -> %', old.state, new.state using errcode = '23514';
        end if;
        if new.state = 'tuning' and not exists (
            select 1 from ml.tuning_attempts a where a.run_id = new.id and a.state = 'created') then
            raise exception 'tuning without a recorded job' using errcode = '23514';
        end if;
        if ml.run_is_final(new.state) and exists (
            select 1 from ml.tuning_attempts a
            where  a.run_id = new.id
            and    (a.state in ('sending', 'unknown') or (a.state = 'created' and a.job_ended_at is null))) then
            raise exception 'a run cannot end while a tuning job is unresolved or alive' using errcode = '23514';
        end if;
    end if;
    return new;
end
$$;
create trigger run_guard before insert or update on ml.training_runs
    for each row execute function ml.run_guard();

-- -------------------------------------------------------------------------------------------------------- registry

create table ml.fine_tuned_models (
    id                    uuid primary key,                       -- the id of the run that made it
    organization_id       uuid not null references kb.orgs (id),
    project_id            uuid,
    model_type            text not null check (model_type in ('general', 'project')),
    version               integer not null check (version > 0),
    status                text not null default 'training' check (status in (
                              'training', 'ready', 'failed', 'deprecated')),
    status_reason         text,
    base_model            text not null,
    parent_model_id       uuid,
    tuning_job            text not null,
    vertex_model          text unique,
    vertex_endpoint       text,
    checkpoints           jsonb not null default '[]',
    tuning_statistics     jsonb not null default '{}',
    evaluation_metrics    jsonb not null default '{}',
    prompt_hash           text not null check (prompt_hash ~ '^[0-9a-f]{64}$'),
    dataset_id            uuid not null,
    training_dataset_uri  text not null,
    training_examples     integer not null,
    validation_examples   integer not null,
    training_started_at   timestamptz,
    training_completed_at timestamptz,
    promoted_at           timestamptz,
    created_at            timestamptz not null,
    updated_at            timestamptz not null,
    unique (id, organization_id),
    constraint one_model_version_per_scope unique nulls not distinct (organization_id, project_id, version),
    foreign key (id, organization_id) references ml.training_runs (id, organization_id),
    foreign key (project_id, organization_id) references kb.projects (id, organization_id),
    foreign key (parent_model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    foreign key (dataset_id, organization_id) references ml.datasets (id, organization_id),
    constraint type_matches_scope check ((model_type = 'general') = (project_id is null)),
    constraint ready_is_complete check (status <> 'ready'
        or (vertex_model is not null and vertex_endpoint is not null and training_completed_at is not null))
);
create unique index one_ready_model on ml.fine_tuned_models (organization_id, project_id) nulls not distinct
    where status = 'ready';

alter table ml.training_runs add foreign key (model_id, organization_id)
    references ml.fine_tuned_models (id, organization_id);
alter table ml.tuning_attempts add foreign key (parent_model_id, organization_id)
    references ml.fine_tuned_models (id, organization_id);

create function ml.model_guard() returns trigger language plpgsql as $$
begin
    if (new.organization_id, new.project_id, new.model_type, new.version, new.dataset_id)
       is distinct from
       (old.organization_id, old.project_id, old.model_type, old.version, old.dataset_id) then
        raise exception 'scope, version and dataset of a model are immutable' using errcode = '23514';
    end if;
    -- The last pair is the rollback.
    if new.status <> old.status and (old.status, new.status) not in (
        ('training', 'ready'), ('training', 'failed'), ('training', 'deprecated'),
        ('ready', 'deprecated'), ('deprecated', 'ready')) then
        raise exception 'illegal model step % -> %', old.status, new.status using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger model_guard before update on ml.fine_tuned_models
    for each row execute function ml.model_guard();

-- ------------------------------------------------------------------------------------- extraction and its evaluation

create table ml.extraction_results (
    id                 uuid primary key,
    organization_id    uuid not null references kb.orgs (id),
    project_id         uuid not null,
    job_id             uuid not null unique,
    chosen_model_id    uuid,
    chosen_tier        text not null check (chosen_tier in ('project', 'general', 'base')),
    chosen_reason      text not null,
    answered_model_id  uuid,
    answered_tier      text not null check (answered_tier in ('project', 'general', 'base')),
    model_version      text,
    prompt_hash        text not null check (prompt_hash ~ '^[0-9a-f]{64}$'),
    latency_ms         integer not null check (latency_ms >= 0),
    input_tokens       integer not null default 0 check (input_tokens >= 0),
    output_tokens      integer not null default 0 check (output_tokens >= 0),
    is_valid           boolean not null,
    entity_count       integer not null default 0,
    relationship_count integer not null default 0,
    created_at         timestamptz not null,
    foreign key (project_id, organization_id) references kb.projects (id, organization_id),
    foreign key (chosen_model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    foreign key (answered_model_id, organization_id) references ml.fine_tuned_models (id, organization_id)
);
create index extraction_results_scope on ml.extraction_results (organization_id, project_id, created_at);

create table ml.model_evaluations (
    id              uuid primary key,
    organization_id uuid not null references kb.orgs (id),
    model_id        uuid not null,
    compared_with   text not null,                                -- 'self', 'live', 'general' or 'base'
    dataset_id      uuid not null,
    scores          jsonb not null,
    created_at      timestamptz not null,
    unique (model_id, compared_with),
    foreign key (model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    foreign key (dataset_id, organization_id) references ml.datasets (id, organization_id)
);

-- ---------------------------------------------------------------------------------------------- messages and audit

create table ml.outbox (
    id              bigint generated always as identity primary key,
    organization_id uuid not null,
    run_id          uuid not null,
    topic           text not null,
    payload         text not null,
    dedup_key       text not null unique,                         -- run:topic:epoch
    status          text not null default 'pending' check (status in ('pending', 'sent')),
    created_at      timestamptz not null,
    sent_at         timestamptz,
    foreign key (run_id, organization_id) references ml.training_runs (id, organization_id),
    constraint sent_has_a_time check ((status = 'sent') = (sent_at is not null))
);
create index outbox_pending on ml.outbox (id) where status = 'pending';

-- Deliveries that can never succeed. They are acknowledged, because a repeat cannot help, and kept for a person.
create table ml.rejected_messages (
    message_id  text not null,
    topic       text not null,
    reason      text not null,
    body        text not null,
    received_at timestamptz not null,
    deliveries  integer not null default 1,
    primary key (topic, message_id)
);

create table ml.audit_log (
    id              bigint generated always as identity primary key,
    organization_id uuid not null references kb.orgs (id),
    project_id      uuid,
    actor           text not null,
    action          text not null,
    subject         text not null,
    reason          text,
    at              timestamptz not null,
    foreign key (project_id, organization_id) references kb.projects (id, organization_id)
);
create index audit_log_scope on ml.audit_log (organization_id, at desc);
