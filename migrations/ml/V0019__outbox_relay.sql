-- The relay publishes outside a transaction: it takes messages for a while, publishes them, and writes down what became
-- of each. One that nobody writes anything about, because its relay has died, is due again when that while is over.
-- Messages are taken by organization and topic in turn, so that what waits for one does not keep the others waiting.

alter table ml.outbox
    add column attempts        integer not null default 0 check (attempts >= 0),   -- how often a relay has taken it
    add column next_attempt_at timestamptz not null default now(),
    add column last_error      text check (length(last_error) <= 1000);

create index outbox_due on ml.outbox (organization_id, topic, next_attempt_at, id) where status = 'pending';
create index outbox_waiting_run on ml.outbox (run_id) where status = 'pending';
create index outbox_sent on ml.outbox (sent_at) where status = 'sent';
drop index ml.outbox_pending;

grant update (attempts, next_attempt_at, last_error) on ml.outbox to ml_api;
grant delete on ml.outbox to ml_worker;
