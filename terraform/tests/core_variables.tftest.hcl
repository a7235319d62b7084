# A wrong variable is refused by its own message, before anything is planned.
mock_provider "google" {}

variables {
  project             = "sluice-test-project"
  environment         = "prod"
  agents_wait_seconds = 0
  database = {
    tier            = "db-custom-1-3840"
    availability    = "ZONAL"
    disk_size       = 10
    disk_size_limit = 50
    backups         = 7
    log_days        = 7
  }
}

# One run, as each plans everything; every one of them must be refused.
run "each_wrong_variable_is_refused" {
  command = plan
  variables {
    operators                = ["group:operators@example.com"]
    report_readers           = ["allUsers"]
    uploaders                = ["allAuthenticatedUsers"]
    producers                = ["domain:example.com"]
    settings                 = { PROJECT = "p" }
    secret_versions          = { ALERT_WEBHOOK_URL = "latest" }
    max_instances            = { enrich = 0 }
    database_max_connections = 10
    agents_wait_seconds      = -1
    key_ring                 = "our keys"
    functions_range          = "10.8.0.0/26"
    outside_range            = "10.8.4.0/28"
    database_range           = "10.9.0.0"
    project                  = "My Project"
    environment              = "production"
    region                   = "europe-west1-b"
    bigquery_location        = "Europe"
    package_dir              = "nowhere"
  }
  expect_failures = [
    var.operators,
    var.report_readers,
    var.uploaders,
    var.producers,
    var.settings,
    var.secret_versions,
    var.max_instances,
    var.database_max_connections,
    var.agents_wait_seconds,
    var.key_ring,
    var.functions_range,
    var.outside_range,
    var.database_range,
    var.project,
    var.environment,
    var.region,
    var.bigquery_location,
    var.package_dir,
  ]
}

# Of their own, as they are compared with the region, which is wrong above, and with each other.
run "a_repository_of_another_region_is_refused" {
  command = plan
  variables {
    repository = "projects/p/locations/us-central1/connections/host/repositories/shop"
    approvers  = ["group:leads@example.com"]
  }
  expect_failures = [var.repository]
}

run "whoever_approves_is_a_person" {
  command = plan
  variables {
    approvers = ["allUsers"]
  }
  expect_failures = [var.approvers]
}
