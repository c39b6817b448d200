# Two builds. What is pushed is tested, built and planned by cloudbuild.yaml, which changes nothing of the installation and at its end
# starts the other. That one waits until somebody has read the plan and approves it, and then applies this very plan.

locals {
  build_account = var.build == null ? null : "projects/${var.project_id}/serviceAccounts/${var.build.account}"
}

resource "google_cloudbuild_trigger" "plan" {
  for_each = var.build == null ? {} : { this = var.build }

  name            = "${local.prefix}-plan"
  description     = "Tests, images and plan of what was pushed."
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = local.build_account

  substitutions = {
    _ENVIRONMENT  = var.environment
    _REGION       = var.region
    _REPOSITORY   = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
    _STATE_BUCKET = each.value.state_bucket
  }

  repository_event_config {
    repository = each.value.repository

    push {
      branch = each.value.branch
    }
  }
}

resource "google_cloudbuild_trigger" "deploy" {
  for_each = var.build == null ? {} : { this = var.build }

  name            = "${local.prefix}-deploy"
  description     = "Migrations, apply and smoke test of a plan, after an approval."
  location        = var.region
  service_account = local.build_account

  substitutions = {
    _REGION       = var.region
    _STATE_BUCKET = each.value.state_bucket
    _URL          = "https://${var.domain}"
  }

  approval_config {
    approval_required = true
  }

  source_to_build {
    repository = each.value.repository
    ref        = each.value.ref
    repo_type  = each.value.repository_type
  }

  git_file_source {
    path       = "cloudbuild.deploy.yaml"
    repository = each.value.repository
    revision   = each.value.ref
    repo_type  = each.value.repository_type
  }
}
