-- Takes everything out of schema ml that belongs to one project, and the texts of it that are kept for trainings alone; prints first
-- what of it is outside the database. Run by the owner of the tables, best before the product deletes the project itself, because the
-- general models that have learnt from it are found by its documents:
--
--   psql "$OWNER" -v project=UUID -f infra/database/forget-project.sql
--
-- It refuses while a run is live: a tuning job that goes on would be nobody's. A second time it finds nothing. docs/operations.md has
-- the steps around it.

\set ON_ERROR_STOP on

begin;

\echo 'Folders of datasets, to be deleted from Cloud Storage:'
select uri
from   ml.datasets
where  project_id = :'project'
union
select u.uri
from   ml.unrecorded_exports u
join   ml.training_runs r on r.id = u.run_id
where  r.project_id = :'project'
order  by uri;

\echo 'Tuning jobs; each names its model and its endpoint, to be deleted from Vertex AI:'
select a.tuning_job
from   ml.tuning_attempts a
join   ml.training_runs r on r.id = a.run_id
where  r.project_id = :'project'
and    a.tuning_job is not null
order  by a.tuning_job;

\echo 'Datasets of the organization that hold texts of the project, with the models that have learnt from them:'
select d.uri, m.version as model_version, m.status as model_status, m.tuning_job
from   ml.datasets d
left   join ml.fine_tuned_models m on m.dataset_id = d.id
where  d.project_id is null
and    exists (
    select 1
    from   ml.dataset_examples e
    join   kb.documents k on k.id = e.document_id
    where  e.dataset_id = d.id
    and    k.project_id = :'project')
order  by d.uri;

-- Nobody starts anything meanwhile.
lock table ml.training_runs in share row exclusive mode;

select count(*) as live, count(*) = 0 as is_quiet
from   ml.training_runs
where  project_id = :'project'
and    not ml.run_is_final(state)
\gset

\if :is_quiet
\else
    \warn 'Refused: runs that are not over:' :live
    do $$ begin raise exception 'the project has live runs'; end $$;
\endif

-- Chunks that were marked deleted are there for trainings only. Whatever the session says, this deletion is one.
set local feedbackloop.reprocessing = 'off';
delete from kb.chunks c
using  kb.documents d
where  d.id = c.document_id
and    d.project_id = :'project'
and    c.deleted_at is not null;

-- Before the log of changes, to which these write.
delete from ml.confirmed_empty where project_id = :'project';
delete from ml.extraction_results where project_id = :'project';

-- Tables refer to each other in circles. One statement, because its foreign keys are looked at when all of it is done.
with
    runs as materialized (select id from ml.training_runs where project_id = :'project'),
    sets as materialized (select id from ml.datasets where project_id = :'project'),
    answers as (delete from ml.evaluation_answers where model_id in (select id from runs)),
    evaluations as (delete from ml.model_evaluations where model_id in (select id from runs)),
    taints as (delete from ml.model_taints where model_id in (select id from runs)),
    objects_left as (
        delete from ml.objects_to_delete
        where  document_id in (select document_id from ml.forgotten_documents where project_id = :'project')),
    forgotten as (delete from ml.forgotten_documents where project_id = :'project'),
    models as (delete from ml.fine_tuned_models where project_id = :'project'),
    attempts as (delete from ml.tuning_attempts where run_id in (select id from runs)),
    examples as (delete from ml.dataset_examples where dataset_id in (select id from sets)),
    datasets as (delete from ml.datasets where project_id = :'project'),
    events as (delete from ml.run_events where run_id in (select id from runs)),
    keys as (delete from ml.idempotency_keys where run_id in (select id from runs)),
    messages as (delete from ml.outbox where run_id in (select id from runs)),
    unrecorded as (delete from ml.unrecorded_exports where run_id in (select id from runs)),
    preflights as (delete from ml.preflights where project_id = :'project'),
    waiting as (delete from ml.waiting_extractions where project_id = :'project'),
    schedules as (delete from ml.training_schedules where project_id = :'project'),
    audit as (delete from ml.audit_log where project_id = :'project'),
    objects as (delete from ml.counted_objects where project_id = :'project'),
    extractions as (delete from ml.counted_extractions where project_id = :'project'),
    object_counts as (delete from ml.object_counts where project_id = :'project'),
    extraction_counts as (delete from ml.extraction_counts where project_id = :'project'),
    projects as (delete from ml.counted_projects where project_id = :'project'),
    changes as (delete from ml.knowledge_changes where project_id = :'project')
delete from ml.training_runs where project_id = :'project';

commit;
