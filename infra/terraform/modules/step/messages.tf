locals {
  audience     = "https://${var.name}.${var.project.id}"
  pubsub_agent = "serviceAccount:service-${var.project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "received" {
  for_each = var.receives

  name = each.key

  # What was delivered wrongly can be delivered again from here, with a seek of the subscription.
  message_retention_duration = "604800s"
}

resource "google_pubsub_topic" "dead" {
  for_each = var.receives

  name = "${each.key}-dead"
}

# A topic without a subscription forgets what is sent to it.
resource "google_pubsub_subscription" "dead" {
  for_each = var.receives

  name                       = "${each.key}-dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"
  retain_acked_messages      = false

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "received" {
  for_each = var.receives

  name                       = each.key
  topic                      = google_pubsub_topic.received[each.key].id
  ack_deadline_seconds       = var.timeout_seconds
  message_retention_duration = "604800s"
  retain_acked_messages      = false

  # Rows decide whether there is something to do, so neither is needed, and push subscriptions cannot have the first.
  enable_exactly_once_delivery = false
  enable_message_ordering      = false

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = var.max_delivery_attempts
  }

  push_config {
    # A function of several topics learns from the path which one it is.
    push_endpoint = "${google_cloud_run_v2_service.function.uri}/${google_pubsub_topic.received[each.key].id}"

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audience
    }
  }

  # Without both rights Pub/Sub delivers for ever instead of giving up.
  depends_on = [google_pubsub_topic_iam_member.dead_letter_publisher]
}

resource "google_pubsub_topic_iam_member" "dead_letter_publisher" {
  for_each = var.receives

  topic  = google_pubsub_topic.dead[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter_subscriber" {
  for_each = var.receives

  subscription = google_pubsub_subscription.received[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = var.publishes_to

  topic  = each.value
  role   = "roles/pubsub.publisher"
  member = google_service_account.function.member
}
