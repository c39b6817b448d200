resource "google_service_account" "migrations" {
  account_id   = "${local.prefix}-migrations"
  display_name = "Feedback loop: migrations"
}

# Run by the build before the functions get their new images.
resource "google_cloud_run_v2_job" "migrations" {
  name                = "${local.prefix}-migrations"
  location            = var.region
  deletion_protection = false

  template {
    parallelism = 1
    task_count  = 1

    template {
      service_account = google_service_account.migrations.email
      timeout         = "3600s"

      # A file that failed left nothing behind, and fails again.
      max_retries = 0

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"

        network_interfaces {
          network    = local.network.network
          subnetwork = local.network.subnetwork
        }
      }

      containers {
        image = var.images.cli
        args  = ["migrate"]

        env {
          name = "Database__ConnectionString"

          value_source {
            secret_key_ref {
              secret  = local.connection_strings.owner.secret
              version = local.connection_strings.owner.version
            }
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.migrations]
}

resource "google_secret_manager_secret_iam_member" "migrations" {
  secret_id = local.connection_strings.owner.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.migrations.member
}
