-- Money: a person approves a training that is unusually dear, every cost of a month is counted, an organization that has set no
-- limit has the installation's, and extractions wait while the base model is stopped too.

-- ------------------------------------------------------------------------------------------- trainings that wait for a person

alter table ml.training_runs
    add column approval_asked_usd numeric(12, 4) check (approval_asked_usd >= 0),   -- what somebody has to approve
    add column approved_usd       numeric(12, 4) check (approved_usd >= 0),         -- an approval holds for this sum
    add column approved_by        text check (approved_by <> '' and approved_by !~ '^(schedule|system):'),
    add column approved_at        timestamptz,
    drop constraint training_runs_state_check,
    add constraint training_runs_state_check check (state in (
        'requested', 'exporting', 'exported', 'awaiting_approval', 'creating', 'create_unknown', 'tuning', 'evaluating',
        'cancelling', 'needs_operator', 'succeeded', 'failed', 'skipped', 'cancelled')),
    add constraint approval_has_a_sum check (
        state <> 'awaiting_approval' or (approval_asked_usd is not null and reason <> '')),
    add constraint approval_is_signed check (
        (approved_usd is null) = (approved_by is null) and (approved_usd is null) = (approved_at is null));

create or replace function ml.run_may_move(from_state text, to_state text) returns boolean language sql immutable as $$
    select (from_state, to_state) in (values
        ('requested', 'exporting'), ('requested', 'skipped'), ('requested', 'failed'), ('requested', 'cancelling'),
        ('exporting', 'exported'), ('exporting', 'skipped'), ('exporting', 'failed'), ('exporting', 'cancelling'),
        ('exporting', 'succeeded'),
        ('exported', 'creating'), ('exported', 'awaiting_approval'), ('exported', 'skipped'), ('exported', 'failed'),
        ('exported', 'cancelling'),
        ('awaiting_approval', 'exported'), ('awaiting_approval', 'skipped'), ('awaiting_approval', 'cancelling'),
        ('creating', 'tuning'), ('creating', 'create_unknown'), ('creating', 'exported'), ('creating', 'failed'),
        ('creating', 'cancelling'),
        ('create_unknown', 'tuning'), ('create_unknown', 'creating'), ('create_unknown', 'awaiting_approval'),
        ('create_unknown', 'needs_operator'), ('create_unknown', 'skipped'), ('create_unknown', 'failed'),
        ('create_unknown', 'cancelling'),
        ('tuning', 'evaluating'), ('tuning', 'failed'), ('tuning', 'cancelling'),
        ('evaluating', 'succeeded'), ('evaluating', 'failed'), ('evaluating', 'cancelling'),
        ('cancelling', 'cancelled'), ('cancelling', 'failed'), ('cancelling', 'needs_operator'),
        ('needs_operator', 'tuning'), ('needs_operator', 'failed'), ('needs_operator', 'cancelled'))
$$;

create function ml.approval_guard() returns trigger language plpgsql as $$
declare
    is_approval constant boolean := old.state = 'awaiting_approval' and new.state = 'exported';
begin
    if is_approval <> ((new.approved_usd, new.approved_by, new.approved_at)
                       is distinct from (old.approved_usd, old.approved_by, old.approved_at)) then
        raise exception 'a run leaves awaiting_approval by an approval, and is approved nowhere else'
            using errcode = '23514';
    end if;
    if is_approval and new.approved_usd is distinct from old.approval_asked_usd then
        raise exception 'an approval holds for the sum that was asked for' using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger approval_guard before update of state, approved_usd, approved_by, approved_at on ml.training_runs
    for each row execute function ml.approval_guard();

grant update (approval_asked_usd, approved_usd, approved_by, approved_at) on ml.training_runs to ml_api;

-- ------------------------------------------------------------------------------------------------- what tuning has cost

-- An estimate of 0 was one without a price, and null says so. What the service has counted takes the estimate's place.
drop trigger attempt_cost_guard on ml.tuning_attempts;

alter table ml.tuning_attempts
    alter column estimated_cost_usd drop not null,
    alter column estimated_cost_usd drop default,
    add column actual_cost_usd numeric(12, 4) check (actual_cost_usd >= 0);

update ml.tuning_attempts set estimated_cost_usd = null where estimated_cost_usd = 0;

create or replace function ml.attempt_cost_guard() returns trigger language plpgsql as $$
begin
    if new.estimated_cost_usd is distinct from old.estimated_cost_usd then
        raise exception 'the intent is immutable' using errcode = '23514';
    end if;
    if old.actual_cost_usd is not null and new.actual_cost_usd is distinct from old.actual_cost_usd then
        raise exception 'what an attempt has cost is immutable' using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger attempt_cost_guard before update of estimated_cost_usd, actual_cost_usd on ml.tuning_attempts
    for each row execute function ml.attempt_cost_guard();

drop index ml.tuning_attempts_spending;
create index tuning_attempts_spending on ml.tuning_attempts (organization_id, sent_at)
    include (estimated_cost_usd, actual_cost_usd, base_model)
    where state not in ('rejected', 'absent');

-- ------------------------------------------------------------------------------------- tokens of a month, and who asked

-- What answers have taken, summed up when their row is written: reading a month never grows with it. Tokens and not dollars, because
-- prices are configuration, and a worker that is not ours writes its own rows.
create table ml.monthly_tokens (
    organization_id uuid not null,
    month           date not null check (extract(day from month) = 1),   -- UTC
    kind            text not null check (kind in ('evaluation', 'extraction')),
    base_model      text not null,                                -- asked, or below the tuned model; '': nobody has said
    is_tuned        boolean not null,
    calls           bigint not null check (calls > 0),
    input_tokens    bigint not null check (input_tokens >= 0),
    output_tokens   bigint not null check (output_tokens >= 0),
    primary key (organization_id, month, kind, base_model, is_tuned)
);
create index monthly_tokens_month on ml.monthly_tokens (month, kind);

create function ml.count_tokens(
    organization_id uuid, at timestamptz, kind text, base_model text, is_tuned boolean, input_tokens bigint,
    output_tokens bigint)
    returns void language sql as $$
    insert into ml.monthly_tokens as t (
        organization_id, month, kind, base_model, is_tuned, calls, input_tokens, output_tokens)
    values (
        count_tokens.organization_id, date_trunc('month', count_tokens.at at time zone 'UTC')::date, count_tokens.kind,
        coalesce(count_tokens.base_model, ''), count_tokens.is_tuned, 1, count_tokens.input_tokens,
        count_tokens.output_tokens)
    on     conflict on constraint monthly_tokens_pkey do update
    set    calls         = t.calls + 1,
           input_tokens  = t.input_tokens + excluded.input_tokens,
           output_tokens = t.output_tokens + excluded.output_tokens
$$;

create function ml.count_extraction() returns trigger language plpgsql as $$
begin
    perform ml.count_tokens(
        new.organization_id, new.created_at, 'extraction', new.base_model, new.answered_tier <> 'base', new.input_tokens,
        new.output_tokens);
    return null;
end
$$;

create function ml.count_evaluation() returns trigger language plpgsql as $$
begin
    perform ml.count_tokens(
        new.organization_id, new.created_at, 'evaluation', e.base_model, e.endpoint is not null, new.input_tokens,
        new.output_tokens)
    from   ml.model_evaluations e
    where  e.model_id = new.model_id
    and    e.compared_with = new.compared_with;
    return null;
end
$$;

-- At the commit, because all answers of an organization add to one row: nobody waits for the rest of another one's transaction.
create constraint trigger tokens_counted after insert on ml.extraction_results
    deferrable initially deferred for each row execute function ml.count_extraction();
create constraint trigger tokens_counted after insert on ml.evaluation_answers
    deferrable initially deferred for each row execute function ml.count_evaluation();

insert into ml.monthly_tokens (organization_id, month, kind, base_model, is_tuned, calls, input_tokens, output_tokens)
select organization_id, date_trunc('month', created_at at time zone 'UTC')::date, 'extraction', coalesce(base_model, ''),
       answered_tier <> 'base', count(*), sum(input_tokens), sum(output_tokens)
from   ml.extraction_results
group  by 1, 2, 4, 5
union  all
select a.organization_id, date_trunc('month', a.created_at at time zone 'UTC')::date, 'evaluation', e.base_model,
       e.endpoint is not null, count(*), sum(a.input_tokens), sum(a.output_tokens)
from   ml.evaluation_answers a
join   ml.model_evaluations e on e.model_id = a.model_id and e.compared_with = a.compared_with
group  by 1, 2, 4, 5;

-- Extraction jobs whose message was taken while no model might be asked. The sweep sends it again.
create table ml.waiting_extractions (
    job_id          uuid primary key,
    organization_id uuid not null,
    project_id      uuid not null,
    since           timestamptz not null
);
create index waiting_extractions_since on ml.waiting_extractions (since, job_id);

create trigger scope_guard before insert or update of organization_id, project_id on ml.waiting_extractions
    for each row execute function ml.scope_guard('product');

-- ------------------------------------------------------------------------------------------------------- default limit

alter table ml.training_schedules
    add column no_monthly_limit boolean not null default false,
    add constraint no_limit_of_organization check (
        not no_monthly_limit or (monthly_limit_usd is null and project_id is null));

-- Who has saved a schedule until now without a limit was shown that there is none, and keeps it so. Everyone else has the
-- installation's: Spending:DefaultMonthlyLimitUsd.
update ml.training_schedules
set    no_monthly_limit = true
where  project_id is null
and    monthly_limit_usd is null;

-- ------------------------------------------------------------------------------------------------------------- grants

grant update (no_monthly_limit) on ml.training_schedules to ml_api;
grant select on ml.monthly_tokens to ml_api;
grant select, insert, update on ml.monthly_tokens to ml_worker;
grant select on ml.waiting_extractions to ml_api;
grant select, insert, delete on ml.waiting_extractions to ml_worker;

alter table ml.monthly_tokens enable row level security;
create policy tenant on ml.monthly_tokens
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.monthly_tokens to ml_worker using (true) with check (true);

alter table ml.waiting_extractions enable row level security;
create policy tenant on ml.waiting_extractions
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.waiting_extractions to ml_worker using (true) with check (true);
