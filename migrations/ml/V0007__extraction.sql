-- What an extraction's own worker knows of it beyond which model answered.

alter table ml.extraction_results
    add column answered_version integer,                          -- of the tuned model within its scope
    add column base_model       text,
    add column endpoint         text,
    add column fallbacks        jsonb not null default '[]',      -- tiers that did not answer, and why
    add column is_repaired      boolean not null default false,   -- the first answer could not be read
    add column dropped          jsonb not null default '{}',      -- parts of the answer that were not stored, by reason
    add column problem          text,                             -- of an answer that could not be read
    add constraint invalid_has_a_problem check (is_valid = (problem is null));
