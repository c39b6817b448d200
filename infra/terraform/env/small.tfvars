# One team: everything is off while nobody works, one small database of its own, no second zone.
# domain, alert_emails and access are examples; images come from the build.

environment     = "small"
project_id      = "example-training"
region          = "europe-west4"
vertex_location = "europe-west4"
domain          = "training.example.com"
alert_emails    = ["operations@example.com"]

access = {
  authority = "https://login.example.com"
  audience  = "feedback-loop-api"
  client_id = "feedback-loop-ui"
}

extraction_publishers = ["serviceAccount:product@example-product.iam.gserviceaccount.com"]
tuning_spend_per_day  = 20
