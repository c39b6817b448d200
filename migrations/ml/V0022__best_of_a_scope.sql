-- A new model is also compared with the best one that its scope has had, on what that one has answered already. The hash is of a
-- chunk's text and verified answer, as in ml.dataset_examples: where both are the same, an answer's score holds in every evaluation.

alter table ml.evaluation_answers
    add column content_hash bytea check (octet_length(content_hash) = 32);   -- null in rows from before

alter table ml.model_evaluations
    drop constraint model_evaluations_compared_with_check,
    add constraint model_evaluations_compared_with_check
        check (compared_with in ('self', 'live', 'best', 'general', 'base'));

create index model_evaluations_subject on ml.model_evaluations (subject_model_id) where subject_model_id is not null;
