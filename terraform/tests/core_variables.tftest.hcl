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

# Likewise: a load job finds its files only near its dataset.
run "europe_is_no_location_of_a_dataset" {
  command = plan
  variables {
    bigquery_location = "Europe"
  }
  expect_failures = [var.bigquery_location]
}

run "a_dataset_of_the_eu_does_not_load_from_the_us" {
  command = plan
  variables {
    region = "us-central1"
  }
  expect_failures = [var.bigquery_location]
}

run "london_is_not_in_the_eu" {
  command = plan
  variables {
    region = "europe-west2"
  }
  expect_failures = [var.bigquery_location]
}

run "zurich_is_not_in_the_eu" {
  command = plan
  variables {
    region = "europe-west6"
  }
  expect_failures = [var.bigquery_location]
}

run "a_dataset_of_the_us_does_not_load_from_europe" {
  command = plan
  variables {
    bigquery_location = "US"
  }
  expect_failures = [var.bigquery_location]
}

run "a_dataset_of_one_region_does_not_load_from_another" {
  command = plan
  variables {
    bigquery_location = "europe-west4"
  }
  expect_failures = [var.bigquery_location]
}

run "a_dataset_of_the_us_loads_from_one_of_its_regions" {
  command = plan
  variables {
    region            = "us-central1"
    bigquery_location = "US"
  }
  assert {
    condition     = google_bigquery_dataset.dataset["sales"].location == "US" && google_storage_bucket.bucket["lake"].location == "us-central1"
    error_message = "the dataset or the bucket it loads from is somewhere else"
  }
}

run "london_loads_from_london" {
  command = plan
  variables {
    region            = "europe-west2"
    bigquery_location = "europe-west2"
  }
  assert {
    condition     = google_bigquery_dataset.dataset["sales"].location == google_storage_bucket.bucket["lake"].location
    error_message = "the dataset or the bucket it loads from is somewhere else"
  }
}
