output "account" {
  description = "E-mail of the function's account."
  value       = google_service_account.function.email
}

output "dead_letters" {
  description = "Subscriptions that hold what could not be delivered, by topic."
  value       = { for topic, subscription in google_pubsub_subscription.dead : topic => subscription.name }
}

output "member" {
  description = "The function's account, as IAM names it."
  value       = google_service_account.function.member
}

output "service" {
  description = "Name of the Cloud Run service."
  value       = google_cloud_run_v2_service.function.name
}

output "topics" {
  description = "Ids of the topics that the step handles, by name."
  value       = { for name, topic in google_pubsub_topic.received : name => topic.id }
}
