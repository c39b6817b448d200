locals {
  charts = concat(
    [
      {
        title = "Messages handled, by subscription"
        unit  = "messages a minute"
        query = "sum by (subscription_id) (60 * rate(pubsub_googleapis_com:subscription_push_request_count{monitored_resource=\"pubsub_subscription\", response_class=\"ack\"}[5m]))"
      },
      {
        title = "Oldest message that waits"
        unit  = "s"
        query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\"})"
      },
      {
        title = "Dead letters"
        unit  = "messages"
        query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\", subscription_id=~\".*-dead\"})"
      },
      {
        title = "Requests that failed, by function"
        unit  = "requests a second"
        query = "sum by (service_name) (rate(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\", service_name=~\"${local.prefix}-.*\", response_code_class=\"5xx\"}[5m]))"
      },
      {
        title = "Instances, by function"
        unit  = "instances"
        query = "sum by (service_name) (run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\", service_name=~\"${local.prefix}-.*\"})"
      },
      {
        title = "What a person has to look at, by kind"
        unit  = "lines an hour"
        query = join(" or ", [for name in keys(local.counted_lines) : "label_replace(sum(increase(logging_googleapis_com:user_feedback_loop_${name}{monitored_resource=\"cloud_run_revision\"}[1h])), \"line\", \"${name}\", \"\", \"\")"])
      },
    ],
    var.collector_image == null ? [] : [
      {
        title = "Runs that ended in a day, by outcome"
        unit  = "runs"
        query = "sum by (outcome, tier) (increase(feedback_loop_run_ended_total[1d]))"
      },
      {
        title = "Money committed to tuning in a day"
        unit  = "USD"
        query = "sum by (tier) (increase(feedback_loop_tuning_job_estimated_cost_USD_total[1d]))"
      },
      {
        title = "Slowest steps, 95th percentile"
        unit  = "s"
        query = "histogram_quantile(0.95, sum by (le, topic) (rate(feedback_loop_step_duration_seconds_bucket[1h])))"
      },
      {
        title = "Time that a model takes to answer, 95th percentile"
        unit  = "s"
        query = "histogram_quantile(0.95, sum by (le, tier) (rate(gen_ai_client_operation_duration_seconds_bucket[1h])))"
      },
      {
        title = "Share of objects that people have to look at"
        unit  = "share"
        query = "sum by (tier) (rate(feedback_loop_extraction_object_total{needs_review=\"true\"}[1d])) / sum by (tier) (rate(feedback_loop_extraction_object_total[1d]))"
      },
      {
        title = "Models that did not answer"
        unit  = "a second"
        query = "sum by (tier) (rate(feedback_loop_extraction_fallback_total[15m]))"
      },
    ],
  )
}

resource "google_monitoring_dashboard" "chain" {
  dashboard_json = jsonencode({
    displayName = "Feedback loop"
    mosaicLayout = {
      columns = 48
      tiles = [
        for index, chart in local.charts : {
          xPos   = (index % 2) * 24
          yPos   = floor(index / 2) * 16
          width  = 24
          height = 16
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                targetAxis      = "Y1"
                timeSeriesQuery = { prometheusQuery = chart.query, unitOverride = chart.unit == "USD" ? "USD" : "" }
              }]
              yAxis = { label = chart.unit, scale = "LINEAR" }
            }
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.used]
}
