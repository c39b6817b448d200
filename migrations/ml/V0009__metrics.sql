-- What the metrics of extractions read besides what is there: how much of an answer went to people, and the way from an
-- extraction to its objects.

-- Recorded with the answer, because a review clears the flags of the objects in place.
alter table ml.extraction_results
    add column needs_review_count integer,                        -- of entity_count; null: extracted before it was recorded
    add constraint needs_review_within check (needs_review_count between 0 and entity_count);

create index if not exists graph_objects_extraction on kb.graph_objects (extraction_job_id)
    where extraction_job_id is not null;
