-- Who may do what in this schema, and whose rows they see: the second layer of tenancy, below the checks of the code.
--
-- ml_worker  the event functions, the sweep and the operator's commands. They work across organizations: a sweep that saw
--            only one would leave the others' runs lying.
-- ml_api     the admin API. It sees the organizations that its session names in app.organizations, and none without.
--
-- A deployment makes its logins members of one of the two. Neither owns anything. Row security binds everybody but the
-- owner, who migrates and must see what it changes; docs/decisions.md says what stands in the place of FORCE.

-- ----------------------------------------------------------------------------------------------------------- roles

do $$
declare
    wanted text;
begin
    foreach wanted in array array['ml_api', 'ml_worker'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole', wanted);
            exception
                when duplicate_object or unique_violation then null;  -- another database of this cluster made it
                when insufficient_privilege then
                    raise exception 'the role % does not exist, and % may not create it', wanted, current_user
                        using errcode = 'invalid_role_specification',
                              hint = 'Run first, as an administrator of the server: '
                                     'create role ml_api nologin; create role ml_worker nologin;';
            end;
        end if;
    end loop;

    if exists (select from pg_roles
               where  rolname in ('ml_api', 'ml_worker') and (rolsuper or rolbypassrls or rolcreaterole)) then
        raise exception 'ml_api or ml_worker can pass row security'
            using errcode = 'invalid_role_specification',
                  hint = 'Run first, as an administrator of the server: '
                         'alter role ml_api nosuperuser nobypassrls nocreaterole; '
                         'alter role ml_worker nosuperuser nobypassrls nocreaterole;';
    end if;
end
$$;

-- ---------------------------------------------------------------------------------------------------------- grants

grant usage on schema ml to ml_api, ml_worker;

grant select
on    ml.training_schedules, ml.training_runs, ml.datasets, ml.dataset_examples, ml.tuning_attempts,
      ml.fine_tuned_models, ml.extraction_results, ml.model_evaluations, ml.outbox, ml.audit_log, ml.run_events,
      ml.idempotency_keys
to    ml_api, ml_worker;

-- Starting a run; ml.run_events is written by the trigger of ml.training_runs, with the rights of whoever moves the run.
grant insert
on    ml.training_runs, ml.run_events, ml.outbox, ml.audit_log, ml.idempotency_keys
to    ml_api, ml_worker;

-- The API cancels, promotes, deprecates and relays, and changes only what says so: it cannot give a run another
-- dataset, or a model another endpoint.
grant update (state, reason, ends_as, epoch, lease_until, not_before, next_poll_at, deadline_at, updated_at)
on    ml.training_runs to ml_api;
grant update (status, status_reason, promoted_at, updated_at) on ml.fine_tuned_models to ml_api;
grant update (status, sent_at) on ml.outbox to ml_api;

grant update on ml.training_schedules, ml.training_runs, ml.outbox to ml_worker;
grant insert on ml.datasets, ml.dataset_examples, ml.extraction_results, ml.model_evaluations to ml_worker;
grant insert, update on ml.tuning_attempts, ml.fine_tuned_models to ml_worker;

-- No organization can be told of a message that nobody could read.
grant select, insert, update on ml.rejected_messages to ml_worker;

-- Counts are folded by the sweep, and by the API before it shows them.
do $$
declare
    statistic text;
begin
    foreach statistic in array array['knowledge_changes', 'counted_projects', 'counted_objects', 'counted_extractions',
                                     'object_counts', 'extraction_counts'] loop
        if to_regclass('ml.' || statistic) is not null then
            execute format('grant select, insert, update, delete on ml.%I to ml_api, ml_worker', statistic);
        end if;
    end loop;
end
$$;

-- ---------------------------------------------------------------------------------------------------- row security

-- Without the setting, and with an empty one, the array is null and no row passes; what is no uuid is an error. The
-- sub-select is evaluated once a statement, and its array can be the key of an index scan.
do $$
declare
    own    constant text := 'organization_id = any ((select nullif(current_setting(''app.organizations'', true), '''')'
                            '::uuid[])::uuid[])';
    tenant record;
begin
    for tenant in
        select c.relname as table_name,
               exists (select from aclexplode(c.relacl) p where p.grantee = 0 and p.privilege_type = 'INSERT') as is_log
        from   pg_class c
        join   pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
        where  c.relnamespace = 'ml'::regnamespace
        and    c.relkind in ('r', 'p')
        order  by c.relname
    loop
        execute format('alter table ml.%I enable row level security', tenant.table_name);
        execute format('create policy tenant on ml.%I using (%s) with check (%s)', tenant.table_name, own, own);
        execute format('create policy chain on ml.%I to ml_worker using (true) with check (true)', tenant.table_name);

        -- Everyone may insert into a log that triggers fill: they run with the rights of whoever writes the product's
        -- tables, who knows nothing of app.organizations. Reading it is as closed as everything else.
        if tenant.is_log then
            execute format('create policy note on ml.%I for insert with check (true)', tenant.table_name);
        end if;
    end loop;
end
$$;
