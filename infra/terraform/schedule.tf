# The same two jobs as `feedbackloop schedule sync-jobs` makes, under the same names: it then finds nothing to change.
# infra/check compares them with shared/Scheduling/TickJob.cs.

locals {
  clocks = {
    feedback-loop-schedule-tick = {
      description = "Looks every hour for trainings that are due."
      schedule    = "0 * * * *"
      topic       = "schedule-tick"
      topic_id    = module.schedule_tick.topics["schedule-tick"]
    }
    feedback-loop-sweep = {
      description = "Looks every five minutes for work that is due, lost or stuck."
      schedule    = "*/5 * * * *"
      topic       = "poll-tick"
      topic_id    = module.poll_tuning.topics["poll-tick"]
    }
  }
}

resource "google_cloud_scheduler_job" "clock" {
  for_each = local.clocks

  name        = each.key
  description = each.value.description
  region      = var.region
  schedule    = each.value.schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = each.value.topic_id
    data       = base64encode("{}")
    attributes = { message = each.value.topic }
  }

  retry_config {
    retry_count = 3
  }

  # Pausing the hourly tick is how an operator stops trainings from starting by themselves.
  lifecycle {
    ignore_changes = [paused]
  }

  depends_on = [google_project_service.used]
}
