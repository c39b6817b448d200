resource "google_service_account" "function" {
  account_id   = "feedback-loop-${var.name}"
  display_name = "Feedback loop: ${var.name}"
}

# An account of its own for each step: a token for one step's push opens no other step.
resource "google_service_account" "push" {
  account_id   = "push-${var.name}"
  display_name = "Feedback loop: pushes to ${var.name}"
}

# Pub/Sub signs each push as this account.
resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_project_iam_member" "function" {
  for_each = var.project_roles

  project = var.project.id
  role    = each.value
  member  = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = var.secrets

  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "collector" {
  for_each = var.collector == null ? {} : { configuration = var.collector.secret }

  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function.member
}
