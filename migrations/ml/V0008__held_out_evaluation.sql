-- The third split, and what models made of it: scores, verdicts, and each answer that was paid for.

alter table ml.datasets
    add column test_uri      text,                                -- null: no document is held out
    add column test_sha256   text check (test_sha256 ~ '^[0-9a-f]{64}$'),
    add column test_bytes    bigint,
    add column test_examples integer not null default 0 check (test_examples >= 0),
    add constraint test_complete check ((test_uri is null) = (test_examples = 0)
        and (test_uri is null) = (test_sha256 is null)
        and (test_uri is null) = (test_bytes is null));

alter table ml.dataset_examples
    drop constraint dataset_examples_split_check,
    add constraint dataset_examples_split_check check (split in ('train', 'validation', 'test'));

alter table ml.fine_tuned_models
    add column verdict           text check (verdict in ('better', 'no_evidence', 'worse')),
    add column verdict_reason    text,
    add column first_promoted_at timestamptz,                     -- promoted_at is that of the last time
    add constraint verdict_is_explained check ((verdict is null) = (verdict_reason is null));

-- Until now a model went live in the moment in which its job was found to be done.
update ml.fine_tuned_models set first_promoted_at = training_completed_at where promoted_at is not null;

grant update (first_promoted_at) on ml.fine_tuned_models to ml_api;

-- A row per model that the new one is compared with, and one for itself. Planned when the evaluation begins, so that a
-- worker that goes on compares with the same ones, and scored at its end.
alter table ml.model_evaluations
    add column subject_model_id uuid,                             -- null: the base model
    add column subject_version  integer,
    add column base_model       text not null,
    add column endpoint         text,
    add column problem          text,                             -- of a model that is not there any more
    add column comparison       jsonb,                            -- new model against this one
    add column is_reference     boolean not null default false,   -- the one that the verdict is about
    add column scored_at        timestamptz,
    alter column scores drop not null,
    add unique (model_id, compared_with, organization_id),
    add foreign key (subject_model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    add constraint model_evaluations_compared_with_check check (compared_with in ('self', 'live', 'general', 'base')),
    add constraint base_has_no_model check ((compared_with = 'base') = (subject_model_id is null)),
    add constraint scored_has_a_time check ((scores is null) = (scored_at is null));

-- What one model made of one held-out chunk: counts, no text. The primary key is what makes an evaluation resumable.
create table ml.evaluation_answers (
    model_id        uuid not null,                                -- the new model
    organization_id uuid not null,
    compared_with   text not null,                                -- whose answer it is, as in ml.model_evaluations
    position        integer not null check (position >= 0),       -- line of test.jsonl, from 0
    score           jsonb not null,
    problem         text,                                         -- why the answer cannot be read; null: it can
    latency_ms      integer not null check (latency_ms >= 0),
    input_tokens    integer not null check (input_tokens >= 0),
    output_tokens   integer not null check (output_tokens >= 0),
    cost_usd        numeric(12, 6) check (cost_usd >= 0),         -- null: the price is not known
    created_at      timestamptz not null,
    primary key (model_id, compared_with, position),
    foreign key (model_id, organization_id) references ml.fine_tuned_models (id, organization_id),
    foreign key (model_id, compared_with, organization_id)
        references ml.model_evaluations (model_id, compared_with, organization_id)
);

grant select on ml.evaluation_answers to ml_api, ml_worker;
grant insert on ml.evaluation_answers to ml_worker;
grant update on ml.model_evaluations to ml_worker;

alter table ml.evaluation_answers enable row level security;
create policy tenant on ml.evaluation_answers
    using (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]))
    with check (organization_id = any ((select nullif(current_setting('app.organizations', true), '')::uuid[])::uuid[]));
create policy chain on ml.evaluation_answers to ml_worker using (true) with check (true);
