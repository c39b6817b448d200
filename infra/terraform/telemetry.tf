# Traces and the functions' own metrics go to a collector beside each function; without its image there are none, and the alerts
# that need them are not made. Logs, and the alerts on them, need no collector.

locals {
  telemetry_roles = var.collector_image == null ? {} : {
    metrics = "roles/monitoring.metricWriter"
    traces  = "roles/cloudtrace.agent"
  }

  collector = var.collector_image == null ? null : {
    image   = var.collector_image
    secret  = google_secret_manager_secret.collector["this"].secret_id
    version = google_secret_manager_secret_version.collector["this"].version
  }
}

# Not a secret, but the way to give a container of Cloud Run a file.
resource "google_secret_manager_secret" "collector" {
  for_each = var.collector_image == null ? [] : toset(["this"])

  secret_id = "${local.prefix}-collector"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_version" "collector" {
  for_each = google_secret_manager_secret.collector

  secret          = each.value.id
  secret_data     = file("${path.module}/collector.yaml")
  deletion_policy = "ABANDON"

  lifecycle {
    create_before_destroy = true
  }
}
