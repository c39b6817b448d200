locals {
  makes_database = var.existing_database == null

  database = local.makes_database ? {
    host = google_sql_database_instance.this["this"].private_ip_address
    name = google_sql_database.product["this"].name
  } : var.existing_database

  instances = {
    admin_api     = var.max_instances.admin_api
    export        = var.max_instances.export
    extract       = var.max_instances.extract
    poll_tuning   = var.max_instances.poll_tuning
    schedule_tick = var.max_instances.schedule_tick
    train         = var.max_instances.train
  }

  most_connections = sum([for step, count in local.instances : count * local.connections[step]])
}

resource "google_sql_database_instance" "this" {
  for_each = local.makes_database ? toset(["this"]) : []

  name                = local.prefix
  region              = var.region
  database_version    = "POSTGRES_17"
  encryption_key_name = var.kms_key
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.database.tier
    edition                     = "ENTERPRISE"
    availability_type           = var.database.is_highly_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.database.disk_gb
    disk_autoresize             = true
    disk_autoresize_limit       = var.database.disk_limit_gb
    deletion_protection_enabled = var.deletion_protection
    retain_backups_on_delete    = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = local.network.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      start_time                     = "02:00"
      location                       = var.database.backup_location

      backup_retention_settings {
        retained_backups = var.database.retained_backups
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      query_string_length     = 1024
      record_application_tags = true
      record_client_address   = false
    }

    database_flags {
      name  = "max_connections"
      value = var.database.max_connections
    }

    # Statements carry text of documents; only their duration belongs into a log.
    database_flags {
      name  = "log_statement"
      value = "none"
    }

    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }
  }

  lifecycle {
    precondition {
      condition     = local.most_connections + 10 <= var.database.max_connections
      error_message = "All instances together may hold ${local.most_connections} connections, and ten are kept for people: raise database.max_connections, or lower max_instances."
    }

    # It grows by itself.
    ignore_changes = [settings[0].disk_size]
  }

  depends_on = [google_kms_crypto_key_iam_member.agents, google_service_networking_connection.services]
}

resource "google_sql_database" "product" {
  for_each = local.makes_database ? toset(["this"]) : []

  name     = "product"
  instance = google_sql_database_instance.this["this"].name
}

# Owns the tables and applies the migrations. The functions' logins are made by infra/database/logins.sql, because a login that is
# made here belongs to cloudsqlsuperuser, which may make roles and so get around row security.
resource "google_sql_user" "owner" {
  for_each = local.makes_database ? toset(["this"]) : []

  name                = var.logins.owner
  instance            = google_sql_database_instance.this["this"].name
  password_wo         = var.database_passwords.owner
  password_wo_version = var.database_passwords_version
}
