resource "google_artifact_registry_repository" "images" {
  repository_id          = local.prefix
  location               = var.region
  format                 = "DOCKER"
  description            = "Images of the functions and of the command line."
  kms_key_name           = var.kms_key
  cleanup_policy_dry_run = false

  docker_config {
    immutable_tags = true
  }

  # A version that is kept by one policy is not deleted by another: the last twenty of each image stay, whatever their age.
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 20
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "7776000s"
    }
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  depends_on = [google_kms_crypto_key_iam_member.agents, google_project_service.used]
}
