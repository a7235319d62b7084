# Cloud SQL for Postgres, the system of record. Only the connector reaches it: by the private address, with TLS both
# ways, as an IAM user; no user has a password.
variable "database" {
  description = "Size and care of the database: disk in GB, backups kept in days, days that can be returned to the minute."
  type = object({
    tier            = string
    availability    = string
    disk_size       = number
    disk_size_limit = number
    backups         = number
    log_days        = number
  })

  validation {
    condition     = can(regex("^db-(custom-[0-9]+-[0-9]+|perf-optimized-N-[0-9]+)$", var.database.tier))
    error_message = "database.tier must be db-custom-CPUS-MB, such as db-custom-1-3840: tiers with a shared CPU have no service level."
  }
  validation {
    condition     = contains(["ZONAL", "REGIONAL"], var.database.availability)
    error_message = "database.availability must be ZONAL, or REGIONAL for a standby in a second zone."
  }
  validation {
    condition     = var.database.disk_size >= 10 && var.database.disk_size_limit >= var.database.disk_size
    error_message = "database.disk_size must be at least 10 GB, and disk_size_limit not below it: the disk grows up to the limit and never shrinks."
  }
  validation {
    condition     = var.database.backups >= var.database.log_days && var.database.backups <= 365
    error_message = "database.backups must keep at least as many days as log_days, and at most 365: logs without a backup before them restore nothing."
  }
  validation {
    condition     = var.database.log_days >= 1 && var.database.log_days <= 7
    error_message = "database.log_days must be 1 to 7, the most of the Enterprise edition."
  }
}

locals {
  database_flags = {
    "cloudsql.iam_authentication" = "on"
    "max_connections"             = var.database_max_connections

    # What pgaudit writes goes to Cloud Logging, where no user of the database reaches it: every change of structure or
    # rights, and every statement that touches what is granted to sluice_watched (sql/postgres/roles/watched.sql).
    "cloudsql.enable_pgaudit" = "on"
    "pgaudit.log"             = "ddl,role"
    "pgaudit.role"            = "sluice_watched"

    # No value of a row may come to the logs: no parameters, no statement for being slow (Query Insights and
    # watch_queries tell of those), and of an error its message without the detail that quotes the row.
    "pgaudit.log_parameter"      = "off"
    "log_min_duration_statement" = "-1"
    "log_error_verbosity"        = "terse"
    "log_min_error_statement"    = "error"
    "log_min_messages"           = "warning"
    "log_statement"              = "ddl"

    "log_connections"    = "on"
    "log_disconnections" = "on"
    "log_hostname"       = "on"
    "log_lock_waits"     = "on"
    "log_checkpoints"    = "on"
    "log_temp_files"     = "0"

    # For people; the functions set their own with each connection.
    "idle_in_transaction_session_timeout" = "60000"
  }
}

resource "google_sql_database_instance" "main" {
  name                = local.database_instance
  region              = var.region
  database_version    = "POSTGRES_18" # the local cloud's and the tests'
  encryption_key_name = google_kms_crypto_key.key["sql"].id
  deletion_protection = var.environment != "dev"

  settings {
    edition                     = "ENTERPRISE" # else Enterprise Plus, which has other tiers
    tier                        = var.database.tier
    availability_type           = var.database.availability
    disk_type                   = "PD_SSD"
    disk_size                   = var.database.disk_size
    disk_autoresize             = true
    disk_autoresize_limit       = var.database.disk_size_limit
    deletion_protection_enabled = var.environment != "dev"
    retain_backups_on_delete    = var.environment != "dev"
    connector_enforcement       = "REQUIRED"
    user_labels                 = local.labels

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.main.id
      # The connector brings a certificate of its own, good for an hour; IAM authentication goes on inside of it.
      ssl_mode = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "01:00"
      location                       = var.region
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = var.database.log_days

      backup_retention_settings {
        retained_backups = var.database.backups
      }
    }

    maintenance_window {
      day          = 7
      hour         = 4
      update_track = var.environment == "prod" ? "stable" : "canary" # the others meet an update weeks earlier
    }

    insights_config {
      query_insights_enabled  = true
      query_string_length     = 1024
      record_application_tags = false
      record_client_address   = false
    }

    dynamic "database_flags" {
      for_each = local.database_flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    # With autoresize the disk is what it grew to.
    ignore_changes = [settings[0].disk_size]
  }

  # The agent must be able to use the key, and the network must be peered.
  depends_on = [terraform_data.agents, google_service_networking_connection.database]
}

# It goes with its instance. Postgres drops no database that somebody is connected to, and somebody is: Query Insights.
resource "google_sql_database" "sluice" {
  name            = local.database
  instance        = google_sql_database_instance.main.name
  deletion_policy = "ABANDON"
}
