# The chain, step by step: what a step receives, and what it may do besides. The messages between the steps are the same outbox for
# all of them, and whoever sends takes along what another left there; so all of them may send to all of the chain's topics.

locals {
  prefix  = "feedback-loop"
  project = { id = var.project_id, number = data.google_project.this.number }

  chain = merge(
    module.export.topics,
    module.train.topics,
    { tuning-started = module.poll_tuning.topics["tuning-started"] },
    { training-finished = module.schedule_tick.topics["training-finished"] },
  )

  settings = merge(
    {
      GoogleCloud__ProjectId            = var.project_id
      GoogleCloud__Location             = var.vertex_location
      GoogleCloud__Bucket               = google_storage_bucket.datasets.name
      GoogleCloud__Environment          = var.environment
      GoogleCloud__TuningServiceAccount = google_service_account.tuning_creator.email
      BaseModels__DefaultId             = var.base_model
    },
    var.settings,
  )

  # Connections of one instance. An export holds six, and one instance runs two.
  connections = { admin_api = 16, export = 16, extract = 8, poll_tuning = 16, schedule_tick = 8, train = 8 }
}

module "export" {
  source = "./modules/step"

  name            = "export"
  image           = var.images.export
  receives        = ["export-requested"]
  publishes_to    = local.chain
  timeout_seconds = 600
  concurrency     = 2
  max_instances   = var.max_instances.export
  memory          = "1Gi"
  environment     = merge(local.settings, { Database__MaxConnections = local.connections.export })
  secrets         = { Database__ConnectionString = local.connection_strings.worker }

  project             = local.project
  region              = var.region
  network             = local.network
  collector           = local.collector
  project_roles       = local.telemetry_roles
  deletion_protection = var.deletion_protection
}

module "train" {
  source = "./modules/step"

  name            = "train"
  image           = var.images.train
  receives        = ["dataset-exported"]
  publishes_to    = local.chain
  timeout_seconds = 300
  concurrency     = 8
  max_instances   = var.max_instances.train
  environment     = merge(local.settings, { Database__MaxConnections = local.connections.train })
  secrets         = { Database__ConnectionString = local.connection_strings.worker }

  project             = local.project
  region              = var.region
  network             = local.network
  collector           = local.collector
  project_roles       = merge(local.telemetry_roles, { tuning = google_project_iam_custom_role.tuning_watcher.id })
  deletion_protection = var.deletion_protection
}

module "poll_tuning" {
  source = "./modules/step"

  name     = "poll-tuning"
  image    = var.images.poll_tuning
  receives = ["tuning-started", "poll-tick"]

  # Extractions that waited for the end of a stop are asked for again by the sweep.
  publishes_to    = merge(local.chain, { extraction-requested = module.extract.topics["extraction-requested"] })
  timeout_seconds = 600
  concurrency     = 8
  max_instances   = var.max_instances.poll_tuning
  memory          = "1Gi"
  environment = merge(local.settings, {
    Database__MaxConnections = local.connections.poll_tuning
    Sweep__AlarmUsdPerDay    = tostring(var.tuning_spend_per_day)

    Spending__ExtractionAlarmUsd = tostring(var.extraction_spend_per_month)
  })
  secrets = { Database__ConnectionString = local.connection_strings.worker }

  project   = local.project
  region    = var.region
  network   = local.network
  collector = local.collector
  project_roles = merge(local.telemetry_roles, {
    tuning   = google_project_iam_custom_role.tuning_watcher.id
    generate = google_project_iam_custom_role.model_caller.id
  })
  deletion_protection = var.deletion_protection
}

module "schedule_tick" {
  source = "./modules/step"

  name            = "schedule-tick"
  image           = var.images.schedule_tick
  receives        = ["schedule-tick", "training-finished"]
  publishes_to    = local.chain
  timeout_seconds = 300
  concurrency     = 4
  max_instances   = var.max_instances.schedule_tick
  environment = merge(local.settings, {
    Database__MaxConnections = local.connections.schedule_tick
    OTEL_TRACES_SAMPLER      = "always_on"
  })
  secrets = { Database__ConnectionString = local.connection_strings.worker }

  project             = local.project
  region              = var.region
  network             = local.network
  collector           = local.collector
  project_roles       = local.telemetry_roles
  deletion_protection = var.deletion_protection
}

module "extract" {
  source = "./modules/step"

  name            = "extract"
  image           = var.images.extract
  receives        = ["extraction-requested"]
  timeout_seconds = 300
  concurrency     = 8
  max_instances   = var.max_instances.extract
  environment = merge(local.settings, {
    Database__MaxConnections = local.connections.extract
    OTEL_TRACES_SAMPLER      = "parentbased_traceidratio"
    OTEL_TRACES_SAMPLER_ARG  = "0.01"
  })
  secrets = { Database__ConnectionString = local.connection_strings.worker }

  project             = local.project
  region              = var.region
  network             = local.network
  collector           = local.collector
  project_roles       = merge(local.telemetry_roles, { generate = google_project_iam_custom_role.model_caller.id })
  deletion_protection = var.deletion_protection
}

# The product asks for extractions; it is not part of this.
resource "google_pubsub_topic_iam_member" "extraction_requests" {
  for_each = var.extraction_publishers

  topic  = module.extract.topics["extraction-requested"]
  role   = "roles/pubsub.publisher"
  member = each.value
}
