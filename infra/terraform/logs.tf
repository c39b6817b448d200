# What the functions say in their logs, counted, for alerts that need no collector. The sentences are those of the code;
# infra/check looks for each of them there.

locals {
  counted_lines = {
    needs_operator = {
      description = "Runs that a person has to settle."
      severity    = "CRITICAL"
      sentence    = "needs an operator"
    }
    duplicate_tuning_job = {
      description = "Tuning jobs that should not exist, and were cancelled."
      severity    = "CRITICAL"
      sentence    = "with run label"
    }
    late_tuning_job = {
      description = "Tuning jobs that were made after others had settled their attempt."
      severity    = "CRITICAL"
      sentence    = "was settled by others while tuning job"
    }
    unsettled_call = {
      description = "Calls of which nobody knows, an hour after their quiet time, whether they made a tuning job."
      severity    = "ERROR"
      sentence    = "is unsettled: attempt"
    }
    run_failed = {
      description = "Runs that have failed; each sweep of the next 35 minutes says it."
      severity    = "WARNING"
      sentence    = "has failed: "
    }
    tuning_spend = {
      description = "Sweeps that found a day's tuning above tuning_spend_per_day."
      severity    = "WARNING"
      sentence    = "of the last day are estimated at"
    }
    extraction_spend = {
      description = "Sweeps that found an organization's extractions above extraction_spend_per_month."
      severity    = "WARNING"
      sentence    = "USD this month, above"
    }
    rejected_message = {
      description = "Messages that can never succeed."
      severity    = "ERROR"
      sentence    = "rejected and kept"
    }
    sweep_failed = {
      description = "Parts of the five-minute sweep that failed."
      severity    = "ERROR"
      sentence    = "of the sweep failed"
    }
    run_not_looked_at = {
      description = "Runs whose tuning job the sweep could not look at."
      severity    = "ERROR"
      sentence    = "could not be looked at"
    }
    push_refused = {
      description = "Pushes that a function did not take: a wrong account, audience or issuer."
      severity    = "WARNING"
      sentence    = "A push was refused"
    }
    model_silent = {
      description = "Tuned models that did not answer, so that the next tier was asked."
      severity    = "WARNING"
      sentence    = "does not answer at"
    }
  }
}

resource "google_logging_metric" "line" {
  for_each = local.counted_lines

  name        = "feedback_loop/${each.key}"
  description = each.value.description

  filter = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=~\"^${local.prefix}-\"",
    "severity=${each.value.severity}",
    "jsonPayload.message:\"${each.value.sentence}\"",
  ])

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.used]
}
