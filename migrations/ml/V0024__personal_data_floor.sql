-- The least that an organization has done about personal data, whoever starts a run of it or of its projects; and what
-- was asked for by whom, in the audit log.

alter table ml.training_schedules
    add column pii_floor text check (pii_floor in ('exclude', 'redact', 'allow')),     -- null: the product's default
    add constraint floor_of_organization check (pii_floor is null or project_id is null);

grant update (pii_floor) on ml.training_schedules to ml_api;

alter table ml.audit_log add column parameters jsonb;

comment on column ml.audit_log.parameters is
    'What was asked for: parameters of a run, settings of a schedule, file and bytes of a download; no text.';
