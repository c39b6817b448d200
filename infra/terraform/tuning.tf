# A tuning job costs money, so one account can make them, and only the train function can act as it. It takes a token of five
# minutes before each call: a worker that wakes up late finds its token worthless.

resource "google_service_account" "tuning_creator" {
  account_id   = "${local.prefix}-tuning"
  display_name = "Feedback loop: makes tuning jobs"
}

# Google documents this role for tuning: besides tuningJobs.create it takes rights on pipelines, models and endpoints.
resource "google_project_iam_member" "tuning_creator" {
  project = var.project_id
  role    = "roles/aiplatform.user"
  member  = google_service_account.tuning_creator.member
}

resource "google_service_account_iam_member" "tuning_creator" {
  service_account_id = google_service_account.tuning_creator.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = module.train.member
}

# Looking at jobs and stopping them: what makes none.
resource "google_project_iam_custom_role" "tuning_watcher" {
  role_id     = "feedbackLoopTuningWatcher"
  title       = "Feedback loop: watch tuning jobs"
  description = "Sees and cancels tuning jobs, and cannot make any."
  permissions = ["aiplatform.tuningJobs.cancel", "aiplatform.tuningJobs.get", "aiplatform.tuningJobs.list"]
}

resource "google_project_iam_custom_role" "model_caller" {
  role_id     = "feedbackLoopModelCaller"
  title       = "Feedback loop: call models"
  description = "Asks base and tuned models, and changes none."
  permissions = ["aiplatform.endpoints.predict"]
}
