-- Takes everything out of schema ml that belongs to one organization, and the texts of it that are kept for trainings alone; prints
-- first what of it is outside the database. Run by the owner of the tables, before the product deletes the organization itself, or after:
--
--   psql "$OWNER" -v organization=UUID -f infra/database/forget-organization.sql
--
-- It refuses while a run is live: a tuning job that goes on would be nobody's. docs/operations.md has the steps around it.

\set ON_ERROR_STOP on

begin;

\echo 'Folders of datasets, to be deleted from Cloud Storage:'
select uri
from   ml.datasets
where  organization_id = :'organization'
union
select uri
from   ml.unrecorded_exports
where  organization_id = :'organization'
order  by uri;

\echo 'Tuning jobs; each names its model and its endpoint, to be deleted from Vertex AI:'
select tuning_job
from   ml.tuning_attempts
where  organization_id = :'organization'
and    tuning_job is not null
order  by tuning_job;

-- Nobody starts anything meanwhile.
lock table ml.training_runs in share row exclusive mode;

select count(*) as live, count(*) = 0 as is_quiet
from   ml.training_runs
where  organization_id = :'organization'
and    not ml.run_is_final(state)
\gset

\if :is_quiet
\else
    \warn 'Refused: runs that are not over:' :live
    do $$ begin raise exception 'the organization has live runs'; end $$;
\endif

-- Chunks that were marked deleted are there for trainings only. Whatever the session says, this deletion is one.
set local feedbackloop.reprocessing = 'off';
delete from kb.chunks c
using  kb.documents d, kb.projects p
where  d.id = c.document_id
and    p.id = d.project_id
and    p.organization_id = :'organization'
and    c.deleted_at is not null;

-- Before the log of changes, to which these write.
delete from ml.confirmed_empty where organization_id = :'organization';
delete from ml.extraction_results where organization_id = :'organization';

-- Tables refer to each other in circles. One statement, because its foreign keys are looked at when all of it is done.
with
    answers as (delete from ml.evaluation_answers where organization_id = :'organization'),
    evaluations as (delete from ml.model_evaluations where organization_id = :'organization'),
    taints as (delete from ml.model_taints where organization_id = :'organization'),
    objects_left as (delete from ml.objects_to_delete where organization_id = :'organization'),
    forgotten as (delete from ml.forgotten_documents where organization_id = :'organization'),
    models as (delete from ml.fine_tuned_models where organization_id = :'organization'),
    attempts as (delete from ml.tuning_attempts where organization_id = :'organization'),
    examples as (delete from ml.dataset_examples where organization_id = :'organization'),
    datasets as (delete from ml.datasets where organization_id = :'organization'),
    events as (delete from ml.run_events where organization_id = :'organization'),
    keys as (delete from ml.idempotency_keys where organization_id = :'organization'),
    messages as (delete from ml.outbox where organization_id = :'organization'),
    unrecorded as (delete from ml.unrecorded_exports where organization_id = :'organization'),
    schedules as (delete from ml.training_schedules where organization_id = :'organization'),
    preflights as (delete from ml.preflights where organization_id = :'organization'),
    tokens as (delete from ml.monthly_tokens where organization_id = :'organization'),
    waiting as (delete from ml.waiting_extractions where organization_id = :'organization'),
    audit as (delete from ml.audit_log where organization_id = :'organization'),
    objects as (delete from ml.counted_objects where organization_id = :'organization'),
    extractions as (delete from ml.counted_extractions where organization_id = :'organization'),
    object_counts as (delete from ml.object_counts where organization_id = :'organization'),
    extraction_counts as (delete from ml.extraction_counts where organization_id = :'organization'),
    projects as (delete from ml.counted_projects where organization_id = :'organization'),
    changes as (delete from ml.knowledge_changes where organization_id = :'organization')
delete from ml.training_runs where organization_id = :'organization';

commit;
