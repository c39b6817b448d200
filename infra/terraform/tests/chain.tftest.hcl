# With the values of env/small.tfvars and images, as infra/check gives them; against Google's own provider they run the same.

run "the_chain_is_closed" {
  command = plan

  assert {
    condition     = toset(keys(output.dead_letters)) == toset(["dataset-exported", "export-requested", "extraction-requested", "poll-tick", "schedule-tick", "training-finished", "tuning-started"])
    error_message = "Each topic of the chain has its dead letters."
  }

  assert {
    condition     = google_cloud_run_v2_service.admin_api.ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    error_message = "The admin API is reached through the load balancer only."
  }

  assert {
    condition     = google_storage_bucket.datasets.public_access_prevention == "enforced" && google_storage_bucket.datasets.uniform_bucket_level_access
    error_message = "Datasets are nobody's but the installation's."
  }

  assert {
    condition     = google_sql_database_instance.this["this"].settings[0].ip_configuration[0].ipv4_enabled == false
    error_message = "The database has no public address."
  }

  assert {
    condition     = google_sql_database_instance.this["this"].settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "The database can be brought back to a point in time."
  }

  assert {
    condition     = google_service_account_iam_member.tuning_creator.role == "roles/iam.serviceAccountTokenCreator"
    error_message = "The train function, and nothing else, acts as the account that makes tuning jobs."
  }

  assert {
    condition     = length(google_cloudbuild_trigger.deploy) == 0 && length(google_billing_budget.month) == 0
    error_message = "What is not asked for is not made."
  }
}

run "an_existing_database_makes_none" {
  command = plan

  variables {
    existing_database = { host = "10.1.2.3", name = "product" }
    network           = { network = "projects/p/global/networks/n", subnetwork = "projects/p/regions/r/subnetworks/s" }
  }

  assert {
    condition     = length(google_sql_database_instance.this) == 0 && length(google_compute_network.this) == 0
    error_message = "Neither an instance nor a network is made."
  }
}

run "an_existing_database_needs_its_network" {
  command = plan

  variables {
    existing_database = { host = "10.1.2.3", name = "product" }
  }

  expect_failures = [var.existing_database]
}

run "a_tag_is_no_image" {
  command = plan

  variables {
    images = {
      admin_api     = "example/admin-api:latest"
      cli           = "example/cli:latest"
      export        = "example/export:latest"
      extract       = "example/extract:latest"
      poll_tuning   = "example/poll-tuning:latest"
      schedule_tick = "example/schedule-tick:latest"
      train         = "example/train:latest"
    }
  }

  expect_failures = [var.images]
}

run "connections_fit_the_database" {
  command = plan

  variables {
    max_instances = { extract = 40 }
  }

  expect_failures = [google_sql_database_instance.this]
}

run "a_region_that_does_not_tune_is_refused" {
  command = plan

  variables {
    vertex_location = "asia-east1"
  }

  expect_failures = [var.vertex_location]
}

run "secrets_are_no_settings" {
  command = plan

  variables {
    settings = { Database__ConnectionString = "Host=elsewhere" }
  }

  expect_failures = [var.settings]
}

run "alerts_need_a_reader" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "retirement_is_watched_in_time" {
  command = plan

  variables {
    base_model = "gemini-3.5-flash"
  }

  # 2027-05-19T00:00:00Z, less 90 days.
  assert {
    condition = anytrue([
      for condition in google_monitoring_alert_policy.base_model_retires.conditions :
      strcontains(condition.condition_prometheus_query_language[0].query, "> 1802908800")
    ])
    error_message = "The first word comes ninety days before the model retires."
  }
}
