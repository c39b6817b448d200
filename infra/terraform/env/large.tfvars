# An organization with its own database, network, key, people behind Identity-Aware Proxy, telemetry, budget and build.
# All names are examples; images come from the build.

environment             = "large"
project_id              = "example-training-large"
region                  = "europe-west4"
vertex_location         = "europe-west4"
domain                  = "training.example.org"
alert_emails            = ["operations@example.org", "on-call@example.org"]
admin_api_min_instances = 1
requests_per_minute     = 3000
tuning_spend_per_day    = 1500
kms_key                 = "projects/example-keys/locations/europe-west4/keyRings/training/cryptoKeys/data"
collector_image         = "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google@sha256:4444444444444444444444444444444444444444444444444444444444444444"
iap_members             = ["group:training@example.org"]

access = {
  authority = "https://login.example.org"
  audience  = "feedback-loop-api"
  client_id = "feedback-loop-ui"
}

network = {
  network    = "projects/example-network/global/networks/shared"
  subnetwork = "projects/example-network/regions/europe-west4/subnetworks/functions"
}

existing_database = {
  host = "10.20.0.5"
  name = "product"
}

max_instances = {
  admin_api     = 6
  export        = 4
  extract       = 30
  poll_tuning   = 3
  schedule_tick = 2
  train         = 4
}

dataset_retention = {
  days            = 730
  noncurrent_days = 60
  restorable_days = 14
}

settings = {
  Evaluation__MaxUsd = "20"
}

extraction_publishers = ["serviceAccount:product@example-product-large.iam.gserviceaccount.com"]

budget = {
  billing_account = "012345-6789AB-CDEF01"
  all_services    = 20000
  vertex_ai       = 18000
}

build = {
  repository   = "projects/example-training-large/locations/europe-west4/connections/code/repositories/feedback-loop"
  account      = "feedback-loop-build@example-training-large.iam.gserviceaccount.com"
  state_bucket = "example-training-large-terraform"
}
