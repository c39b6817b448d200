resource "google_service_account" "admin_api" {
  account_id   = "${local.prefix}-admin-api"
  display_name = "Feedback loop: admin API"
}

resource "google_cloud_run_v2_service" "admin_api" {
  name                = "${local.prefix}-admin-api"
  location            = var.region
  deletion_protection = var.deletion_protection

  # People come through the load balancer, which has the certificate and the limits; the service's own address answers nobody.
  # Cloud Run's check of callers is off because the token of a person is of the product's issuer, and Cloud Run refuses what
  # Google has not issued. The API looks at it itself, on every route but the health of the process and openapi.json.
  ingress              = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  invoker_iam_disabled = true

  template {
    service_account                  = google_service_account.admin_api.email
    timeout                          = "60s"
    max_instance_request_concurrency = 80
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = var.admin_api_min_instances
      max_instance_count = var.max_instances.admin_api
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = local.network.network
        subnetwork = local.network.subnetwork
      }
    }

    containers {
      name  = "function"
      image = var.images.admin_api

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60

        http_get {
          path = "/healthz"
          port = 8080
        }
      }

      # Whether the process lives, not whether the database does: starting it again would not bring that back.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/healthz"
          port = 8080
        }
      }

      dynamic "env" {
        for_each = merge(
          local.settings,
          {
            Access__Authority        = var.access.authority
            Access__Audience         = var.access.audience
            Access__ClientId         = var.access.client_id
            Database__MaxConnections = local.connections.admin_api
            OTEL_TRACES_SAMPLER      = "always_on"
          },
          local.collector == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4317" },
        )

        content {
          name  = env.key
          value = env.value
        }
      }

      env {
        name = "Database__ConnectionString"

        value_source {
          secret_key_ref {
            secret  = local.connection_strings.api.secret
            version = local.connection_strings.api.version
          }
        }
      }
    }

    dynamic "containers" {
      for_each = local.collector == null ? {} : { collector = local.collector }

      content {
        name  = "collector"
        image = containers.value.image
        args  = ["--config=/etc/collector/config.yaml"]

        resources {
          limits   = { cpu = "1", memory = "256Mi" }
          cpu_idle = true
        }

        volume_mounts {
          name       = "collector"
          mount_path = "/etc/collector"
        }
      }
    }

    dynamic "volumes" {
      for_each = local.collector == null ? {} : { collector = local.collector }

      content {
        name = volumes.key

        secret {
          secret = volumes.value.secret

          items {
            path    = "config.yaml"
            version = volumes.value.version
          }
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.admin_api]
}

resource "google_secret_manager_secret_iam_member" "admin_api" {
  for_each = merge(
    { database = local.connection_strings.api.secret },
    local.collector == null ? {} : { collector = local.collector.secret },
  )

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.admin_api.member
}

resource "google_project_iam_member" "admin_api" {
  for_each = merge(local.telemetry_roles, { tuning = google_project_iam_custom_role.tuning_watcher.id })

  project = var.project_id
  role    = each.value
  member  = google_service_account.admin_api.member
}

resource "google_pubsub_topic_iam_member" "admin_api" {
  for_each = local.chain

  topic  = each.value
  role   = "roles/pubsub.publisher"
  member = google_service_account.admin_api.member
}
