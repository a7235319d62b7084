# BigQuery and Postgres, planned without a project: what must hold for every table and for the database, and which
# members are refused. `make plan` runs it; the values of a real project come from the mock.
mock_provider "google" {}

variables {
  project             = "sluice-test-project"
  environment         = "prod"
  agents_wait_seconds = 0
  analysts            = ["group:analysts@example.com"]
  auditors            = ["user:Ann@example.com"]
  operators           = ["user:olaf@example.com"]
  privacy_officers    = ["serviceAccount:pia@people.iam.gserviceaccount.com"]
  database = {
    tier            = "db-custom-1-3840"
    availability    = "REGIONAL"
    disk_size       = 10
    disk_size_limit = 50
    backups         = 7
    log_days        = 7
  }
}

# One run, as each plans everything: what a failure means is its message.
run "the_stores_of_prod" {
  command = plan

  assert {
    condition     = toset(concat(keys(google_bigquery_table.table), keys(google_bigquery_table.view))) == toset([for path in fileset("../sql/bigquery", "*/*/schema.json") : join(".", slice(split("/", path), 0, 2))])
    error_message = "a folder of sql/bigquery has no table or view"
  }
  assert {
    condition     = alltrue([for table in google_bigquery_table.table : table.require_partition_filter == true if length(table.time_partitioning) == 1])
    error_message = "a partitioned table can be read without a filter"
  }
  assert {
    condition     = length([for table in google_bigquery_table.table : table if length(table.time_partitioning) == 1]) >= 8
    error_message = "tables have lost their partitions"
  }
  assert {
    condition     = alltrue([for table in google_bigquery_table.table : table.deletion_protection && length(table.encryption_configuration) == 1])
    error_message = "a table can be deleted, or is not encrypted with our key"
  }
  assert {
    condition     = alltrue([for view in google_bigquery_table.view : one(view.view).use_legacy_sql == false])
    error_message = "a view is written in legacy SQL"
  }

  assert {
    condition     = google_bigquery_dataset.dataset["staging"].default_table_expiration_ms == 86400000
    error_message = "tables of staging do not expire after a day"
  }
  assert {
    condition     = google_bigquery_dataset.dataset["sales"].default_table_expiration_ms == null && google_bigquery_dataset.dataset["marts"].default_table_expiration_ms == null
    error_message = "tables of sales or marts expire"
  }
  assert {
    condition     = alltrue([for dataset in google_bigquery_dataset.dataset : dataset.max_time_travel_hours == "48"])
    error_message = "a dataset keeps what was deleted for more than two days"
  }

  assert {
    condition     = toset([for grant in google_bigquery_dataset_iam_member.people : grant.role]) == toset(["roles/bigquery.dataViewer"])
    error_message = "a person may do more than read"
  }
  assert {
    condition     = [for key in keys(google_bigquery_dataset_iam_member.people) : key if startswith(key, "analyst-")] == ["analyst-marts-group:analysts@example.com"]
    error_message = "analysts read something else than the marts"
  }
  assert {
    condition     = { for member, user in google_sql_user.person : member => "${user.type} ${user.name}" } == { "user:Ann@example.com" = "CLOUD_IAM_USER ann@example.com", "user:olaf@example.com" = "CLOUD_IAM_USER olaf@example.com", "serviceAccount:pia@people.iam.gserviceaccount.com" = "CLOUD_IAM_SERVICE_ACCOUNT pia@people.iam" }
    error_message = "the users of people are not auditors, operators and privacy officers by their names in Postgres"
  }

  assert {
    condition     = google_sql_database_instance.main.settings[0].ip_configuration[0].ipv4_enabled == false
    error_message = "the database has a public address"
  }
  assert {
    condition     = google_sql_database_instance.main.settings[0].ip_configuration[0].ssl_mode == "TRUSTED_CLIENT_CERTIFICATE_REQUIRED" && google_sql_database_instance.main.settings[0].connector_enforcement == "REQUIRED"
    error_message = "the database can be reached without a certificate or the connector"
  }
  assert {
    condition     = google_sql_database_instance.main.settings[0].backup_configuration[0].enabled && google_sql_database_instance.main.settings[0].backup_configuration[0].point_in_time_recovery_enabled
    error_message = "the database has no backups or cannot go back to a point in time"
  }
  assert {
    condition     = google_sql_database_instance.main.deletion_protection && google_sql_database_instance.main.settings[0].deletion_protection_enabled && google_sql_database_instance.main.settings[0].retain_backups_on_delete
    error_message = "prod's database or its backups can be deleted"
  }
  assert {
    condition     = { for flag in google_sql_database_instance.main.settings[0].database_flags : flag.name => flag.value if contains(["cloudsql.iam_authentication", "cloudsql.enable_pgaudit", "pgaudit.log_parameter", "log_min_duration_statement", "log_error_verbosity"], flag.name) } == { "cloudsql.iam_authentication" = "on", "cloudsql.enable_pgaudit" = "on", "pgaudit.log_parameter" = "off", "log_min_duration_statement" = "-1", "log_error_verbosity" = "terse" }
    error_message = "a flag lets users in without IAM, statements out of the audit, or values of rows into the logs"
  }
  assert {
    condition     = toset(keys(google_sql_user.function)) == toset([for name, row in yamldecode(file("../functions/functions.yaml")).functions : name if contains(row.roles, "database_client")])
    error_message = "a function that talks to Postgres has no user, or another has one"
  }
}

run "everybody_is_nobody" {
  command = plan
  variables {
    analysts = ["allUsers"]
  }
  expect_failures = [var.analysts]
}

run "everybody_with_an_account_is_nobody" {
  command = plan
  variables {
    auditors = ["allAuthenticatedUsers"]
  }
  expect_failures = [var.auditors]
}

run "a_domain_is_nobody" {
  command = plan
  variables {
    privacy_officers = ["domain:example.com"]
  }
  expect_failures = [var.privacy_officers]
}

run "a_shared_cpu_is_refused" {
  command = plan
  variables {
    database = { tier = "db-f1-micro", availability = "ZONAL", disk_size = 10, disk_size_limit = 50, backups = 7, log_days = 3 }
  }
  expect_failures = [var.database]
}
