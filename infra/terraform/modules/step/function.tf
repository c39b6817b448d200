resource "google_cloud_run_v2_service" "function" {
  name                = "feedback-loop-${var.name}"
  location            = var.region
  deletion_protection = var.deletion_protection

  # Who may call is decided by two things. From outside, nobody: only Pub/Sub of this project and its own network get in. From
  # inside, the function itself looks at the token of each push: issuer, signature, this step's audience and account. Cloud Run's
  # own check is off, because it takes the signature away from the token that it has checked, and then the function could not
  # check anything; and because without its own check every account with run.invoker on the project could call every step.
  ingress              = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  invoker_iam_disabled = true

  template {
    service_account                  = google_service_account.function.email
    timeout                          = "${var.timeout_seconds}s"
    max_instance_request_concurrency = var.concurrency
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = var.network.network
        subnetwork = var.network.subnetwork
      }
    }

    containers {
      name  = "function"
      image = var.image

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      # A port that answers is a function whose settings were valid: it refuses to start otherwise. A path cannot be asked,
      # since every path wants a token.
      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60

        tcp_socket {
          port = 8080
        }
      }

      dynamic "env" {
        for_each = merge(
          var.environment,
          {
            Push__Audience       = local.audience
            Push__ServiceAccount = google_service_account.push.email
          },
          var.collector == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = "http://localhost:4317" },
        )

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }
    }

    dynamic "containers" {
      for_each = var.collector == null ? {} : { collector = var.collector }

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
      for_each = var.collector == null ? {} : { collector = var.collector }

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

  # A revision that cannot read its secrets does not start.
  depends_on = [
    google_secret_manager_secret_iam_member.function,
    google_secret_manager_secret_iam_member.collector,
  ]
}
