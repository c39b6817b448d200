output "api_address" {
  description = "Where the A record of the admin API's host name points to."
  value       = google_compute_global_address.api.address
}

output "bucket" {
  description = "Bucket of the datasets."
  value       = google_storage_bucket.datasets.name
}

output "dead_letters" {
  description = "Subscriptions that hold what could not be delivered, by topic."
  value = merge(
    module.export.dead_letters,
    module.train.dead_letters,
    module.poll_tuning.dead_letters,
    module.schedule_tick.dead_letters,
    module.extract.dead_letters,
  )
}

output "extraction_topic" {
  description = "Where the product asks for extractions."
  value       = module.extract.topics["extraction-requested"]
}

output "logins" {
  description = "Logins for infra/database/logins.sql."
  value       = var.logins
}

output "migrations_job" {
  description = "Cloud Run job that brings the database up to date."
  value       = google_cloud_run_v2_job.migrations.name
}

output "most_database_connections" {
  description = "Connections that all functions together may hold; an existing database must have room for them."
  value       = local.most_connections
}

output "registry" {
  description = "Where images are pushed to."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "tuning_account" {
  description = "The one account that can make tuning jobs."
  value       = google_service_account.tuning_creator.email
}
