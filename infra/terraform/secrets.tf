# Connection strings, one for each of the three logins. The passwords are write-only: neither the state nor a plan holds them.

resource "google_secret_manager_secret" "connection_string" {
  for_each = toset(["api", "owner", "worker"])

  secret_id           = "${local.prefix}-database-${each.key}"
  deletion_protection = var.deletion_protection

  # An old version can be brought back for a week after it was destroyed.
  version_destroy_ttl = "604800s"

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.agents, google_project_service.used]
}

resource "google_secret_manager_secret_version" "connection_string" {
  for_each = google_secret_manager_secret.connection_string

  secret = each.value.id

  secret_data_wo = join(";", [
    "Host=${local.database.host}",
    "Database=${local.database.name}",
    "Username=${var.logins[each.key]}",
    "Password=\"${var.database_passwords[each.key]}\"",
    "SSL Mode=Require",
  ])

  secret_data_wo_version = var.database_passwords_version

  # Instances that still run the old revision read the old version until they end.
  deletion_policy = "ABANDON"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  connection_strings = {
    for login, secret in google_secret_manager_secret.connection_string : login => {
      secret  = secret.secret_id
      version = google_secret_manager_secret_version.connection_string[login].version
    }
  }
}
