# One policy for each thing that a person has to do, over all functions: policies are billed by condition. What to do is in
# docs/operations.md, under the name of the policy.

locals {
  operations = "docs/operations.md"

  log_alerts = {
    needs_operator = {
      title    = "A run needs an operator"
      severity = "CRITICAL"
      lines    = ["needs_operator"]
    }
    duplicate_tuning_jobs = {
      title    = "Duplicate tuning job"
      severity = "CRITICAL"
      lines    = ["duplicate_tuning_job", "late_tuning_job"]
    }
    unsettled_calls = {
      title    = "A run stays unsettled"
      severity = "ERROR"
      lines    = ["unsettled_call"]
    }
    rejected_messages = {
      title    = "Messages that can never succeed"
      severity = "WARNING"
      lines    = ["rejected_message", "push_refused"]
    }
    failed_runs = {
      title    = "Failed runs"
      severity = "WARNING"
      lines    = ["run_failed"]
    }
    tuning_spend = {
      title    = "Tuning spend"
      severity = "WARNING"
      lines    = ["tuning_spend"]
    }
    extraction_spend = {
      title    = "Extraction spend"
      severity = "WARNING"
      lines    = ["extraction_spend"]
    }
  }

  base_models = { for model in jsondecode(file("${path.module}/../../functions/appsettings.json")).BaseModels.Models : model.Id => model }
  retires_on  = local.base_models[var.base_model].RetiresOn

  # Days since 1970 of a date, by the calendar's own arithmetic: Terraform has no function for it, and a date is all there is.
  retires_year  = tonumber(split("-", local.retires_on)[0])
  retires_month = tonumber(split("-", local.retires_on)[1])
  retires_day   = tonumber(split("-", local.retires_on)[2])
  march_year    = local.retires_month > 2 ? local.retires_year : local.retires_year - 1
  march_month   = (local.retires_month + 9) % 12
  retires_at = 86400 * (
    365 * local.march_year + floor(local.march_year / 4) - floor(local.march_year / 100) + floor(local.march_year / 400)
    + floor((153 * local.march_month + 2) / 5) + local.retires_day - 1 - 719468
  )
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = each.value
  type         = "email"
  labels       = { email_address = each.value }
  depends_on   = [google_project_service.used]
}

locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
}

resource "google_monitoring_alert_policy" "line" {
  for_each = local.log_alerts

  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = toset(each.value.lines)

    content {
      display_name = google_logging_metric.line[conditions.value].description

      condition_threshold {
        filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.line[conditions.value].name}\" AND resource.type=\"cloud_run_revision\""
        comparison      = "COMPARISON_GT"
        threshold_value = 0
        duration        = "0s"

        aggregations {
          alignment_period     = "300s"
          per_series_aligner   = "ALIGN_SUM"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content = "See \"${each.value.title}\" in ${local.operations}."
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  display_name          = "Dead letters"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "A message was given up"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*-dead\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }

  documentation {
    content = "See \"Dead letters\" in ${local.operations}."
  }
}

resource "google_monitoring_alert_policy" "stuck_runs" {
  display_name          = "Runs are stuck"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "Messages wait longer than three sweeps"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${join(", ", [for topic in sort(concat(keys(local.chain), ["poll-tick", "schedule-tick", "extraction-requested"])) : "\"${topic}\""])})"
      comparison      = "COMPARISON_GT"
      threshold_value = 900
      duration        = "300s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
        group_by_fields      = ["resource.label.subscription_id"]
      }
    }
  }

  # Every run that waits is looked at by the sweep, and ended by it when its time is up: no sweep, and nothing moves.
  conditions {
    display_name = "No sweep for half an hour"

    condition_absent {
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"poll-tick\" AND metric.labels.response_class=\"ack\""
      duration = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  dynamic "conditions" {
    for_each = toset(["sweep_failed", "run_not_looked_at"])

    content {
      display_name = "${google_logging_metric.line[conditions.value].description} Three times in half an hour"

      condition_threshold {
        filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.line[conditions.value].name}\" AND resource.type=\"cloud_run_revision\""
        comparison      = "COMPARISON_GT"
        threshold_value = 2
        duration        = "0s"

        aggregations {
          alignment_period     = "1800s"
          per_series_aligner   = "ALIGN_SUM"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  documentation {
    content = "See \"Runs are stuck\" in ${local.operations}."
  }
}

resource "google_monitoring_alert_policy" "error_rate" {
  display_name          = "Error rate"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "More than one of twenty requests fails"

    condition_threshold {
      filter             = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=starts_with(\"${local.prefix}-\") AND metric.labels.response_code_class=\"5xx\""
      denominator_filter = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=starts_with(\"${local.prefix}-\")"
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.05
      duration           = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    content = "See \"Error rate\" in ${local.operations}."
  }
}

# PromQL over the functions' own metrics. The metric appears with the first sweep that measures, so the query is not checked
# against what is there.
resource "google_monitoring_alert_policy" "outbox_age" {
  count = var.collector_image == null ? 0 : 1

  display_name          = "The outbox is not emptied"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "A message has waited for ten minutes"

    condition_prometheus_query_language {
      query                     = "max(feedback_loop_outbox_age_seconds) > 600"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content = "See \"The outbox is not emptied\" in ${local.operations}."
  }
}

# A date is no metric. What makes it one is the sweep's topic, to which something is sent every five minutes: nothing of that
# number, plus the time.
resource "google_monitoring_alert_policy" "base_model_retires" {
  display_name          = "A base model retires"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = { for days in [90, 60, 30] : tostring(days) => local.retires_at - days * 86400 }

    content {
      display_name = "${var.base_model} retires on ${local.retires_on}, in ${conditions.key} days or less"

      condition_prometheus_query_language {
        query                     = "0 * max(pubsub_googleapis_com:topic_send_request_count{monitored_resource=\"pubsub_topic\", topic_id=\"poll-tick\"}) + time() > ${conditions.value}"
        duration                  = "0s"
        evaluation_interval       = "3600s"
        disable_metric_validation = true
      }
    }
  }

  documentation {
    content = "See \"A base model retires\" in ${local.operations}."
  }
}
