resource "google_storage_bucket" "datasets" {
  name                        = coalesce(var.bucket, "${var.project_id}-${local.prefix}-datasets")
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  # What is deleted, by a person or by a lifecycle rule, can be brought back this long.
  soft_delete_policy {
    retention_duration_seconds = var.dataset_retention.restorable_days * 86400
  }

  # There is no retention_policy: it forbids to delete what is young. A tuning job that may or may not exist is settled by
  # taking its dataset away, and a tenant's data goes when the tenant goes.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age        = var.dataset_retention.days
      with_state = "ANY"
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = var.dataset_retention.noncurrent_days
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }

    condition {
      age                   = 30
      matches_storage_class = ["STANDARD"]
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.storage]
}

data "google_storage_project_service_account" "this" {
}

resource "google_kms_crypto_key_iam_member" "storage" {
  for_each = var.kms_key == null ? {} : { key = var.kms_key }

  crypto_key_id = each.value
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.kms_key == null ? {} : merge(
    { images = "gcp-sa-artifactregistry", secrets = "gcp-sa-secretmanager" },
    local.makes_database ? { database = "gcp-sa-cloud-sql" } : {},
  )

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project.number}@${each.value}.iam.gserviceaccount.com"
}

locals {
  # Who does what with datasets: an export writes and reads back what an earlier delivery wrote; a training copies its file, for each
  # call one of its own; the poll reads what is held out, and takes away the copy of a call that has no answer; people download
  # through the API; Vertex AI reads.
  dataset_access = merge(
    {
      export     = { role = "roles/storage.objectUser", member = module.export.member }
      train_from = { role = "roles/storage.objectViewer", member = module.train.member }
      train_to   = { role = "roles/storage.objectCreator", member = module.train.member }
      poll       = { role = "roles/storage.objectUser", member = module.poll_tuning.member }
      api        = { role = "roles/storage.objectViewer", member = google_service_account.admin_api.member }
      creator    = { role = "roles/storage.objectViewer", member = google_service_account.tuning_creator.member }
    },
    var.has_tuning_agent ? {
      tuning = {
        role   = "roles/storage.objectViewer"
        member = "serviceAccount:service-${local.project.number}@gcp-sa-vertex-tune.iam.gserviceaccount.com"
      }
    } : {},
  )
}

resource "google_storage_bucket_iam_member" "datasets" {
  for_each = local.dataset_access

  bucket = google_storage_bucket.datasets.name
  role   = each.value.role
  member = each.value.member
}

# Who has read which dataset.
resource "google_project_iam_audit_config" "storage" {
  project = var.project_id
  service = "storage.googleapis.com"

  audit_log_config {
    log_type = "DATA_READ"
  }

  audit_log_config {
    log_type = "DATA_WRITE"
  }
}
