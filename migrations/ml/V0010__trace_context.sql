-- A run is one trace, from the request to the ready model: whoever looks at the run hours later goes on from here, and a
-- message carries the trace although another process may relay it. W3C trace context, version 00.

alter table ml.training_runs add column trace_parent text
    check (trace_parent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');

alter table ml.outbox add column trace_parent text
    check (trace_parent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
