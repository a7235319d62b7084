# `sluice` inside the network: Postgres has a private address only, so whoever migrates or looks from outside (a build, an
# operator) starts a job here. A job runs the release that RELEASE names, from the bucket of the releases, so it stays the
# same from one release to the next and a release can migrate before anything of it is deployed (docs/decisions/0026).
locals {
  jobs = {
    migrate = { account = google_service_account.migrate, user = google_sql_user.migrate.name, tags = ["sluice-jobs"] }
    # It calls the functions by their run.app addresses, which are not among those of Google's APIs.
    operate = { account = google_service_account.operate, user = google_sql_user.operate.name, tags = ["sluice-jobs", "outside"] }
  }

  # What `sluice doctor` looks at: how everything is set up, and no rows. It may ask the HTTP functions whether they
  # answer, start the scheduled ones, publish one canary message and read the sums.
  operate_roles = toset([
    "roles/bigquery.jobUser",
    "roles/bigquery.metadataViewer",
    "roles/cloudfunctions.viewer",
    "roles/cloudscheduler.jobRunner",
    "roles/cloudscheduler.viewer",
    "roles/iam.securityReviewer",
    "roles/monitoring.viewer",
    "roles/pubsub.viewer",
    "roles/run.viewer",
    "roles/secretmanager.viewer", # names and versions, no values
    "roles/serviceusage.serviceUsageViewer",
  ])
}

resource "google_service_account" "operate" {
  account_id   = "sluice-operate"
  display_name = "Checks and commands of operators"

  depends_on = [google_project_service.service]
}

resource "google_sql_user" "operate" {
  name     = trimsuffix(google_service_account.operate.email, local.service_account_end)
  instance = google_sql_database_instance.main.name
  type     = "CLOUD_IAM_SERVICE_ACCOUNT"
}

resource "google_project_iam_member" "operate" {
  for_each = local.operate_roles

  project = var.project
  role    = each.key
  member  = google_service_account.operate.member
}

resource "google_project_iam_member" "operate_database" {
  for_each = local.database_roles

  project = var.project
  role    = each.value
  member  = google_service_account.operate.member

  condition {
    title      = "our instance only"
    expression = local.our_instance
  }
}

resource "google_bigquery_dataset_iam_member" "operate" {
  for_each = toset(["sales", "marts"])

  dataset_id = google_bigquery_dataset.dataset[each.key].dataset_id
  role       = local.reads
  member     = google_service_account.operate.member
}

# The canary, and messages that an operator sends again or lets go on.
resource "google_pubsub_topic_iam_member" "operate" {
  for_each = google_pubsub_topic.topic

  topic  = each.value.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.operate.member
}

resource "google_pubsub_subscription_iam_member" "operate" {
  for_each = google_pubsub_subscription.dead

  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.operate.member
}

# The canary's file, and what a replay writes. It reads no object: raw text may name people.
resource "google_storage_bucket_iam_member" "operate_writes" {
  for_each = toset(["landing", "lake"])

  bucket = google_storage_bucket.bucket[each.key].name
  role   = "roles/storage.objectCreator"
  member = google_service_account.operate.member
}

# Who is an operator may start it with a command of theirs.
resource "google_cloud_run_v2_job_iam_member" "operators" {
  for_each = { for pair in setproduct(var.operators, ["roles/run.jobsExecutorWithOverrides", "roles/run.viewer"]) : "${pair[0]}-${pair[1]}" => { member = pair[0], role = pair[1] } }

  location = var.region
  name     = google_cloud_run_v2_job.job["operate"].name
  role     = each.value.role
  member   = each.value.member
}

# What a command answers is in the job's log. Logs have no values of rows (docs/security.md).
resource "google_project_iam_member" "operators_logs" {
  for_each = toset(var.operators)

  project = var.project
  role    = "roles/logging.viewer"
  member  = each.key
}

resource "google_storage_bucket_iam_member" "operate" {
  for_each = google_storage_bucket.bucket

  bucket = each.value.name
  role   = "roles/storage.bucketViewer"
  member = google_service_account.operate.member
}

# The doctor asks those that answer by HTTP whether they are there. Scheduled ones it starts by their jobs, whose caller calls.
resource "google_cloud_run_service_iam_member" "operate" {
  for_each = local.public

  location = var.region
  service  = module.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.operate.member
}

resource "google_storage_bucket_iam_member" "jobs" {
  for_each = local.jobs

  bucket = google_storage_bucket.releases.name
  role   = "roles/storage.objectViewer"
  member = each.value.account.member
}

resource "google_compute_firewall" "allow_database_to_jobs" {
  name               = "sluice-allow-database-to-jobs"
  network            = google_compute_network.main.id
  description        = "Cloud SQL for the jobs, as for the functions."
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [var.database_range]
  target_tags        = ["sluice-jobs"]

  allow {
    protocol = "tcp"
    ports    = ["3307"]
  }
}

resource "google_cloud_run_v2_job" "job" {
  for_each = local.jobs

  name                = "sluice-${each.key}"
  location            = var.region
  deletion_protection = false # it holds nothing

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account = each.value.account.email
      encryption_key  = google_kms_crypto_key.key["functions"].id
      max_retries     = 0 # what failed is looked at; a migration that was rolled back may be run again by hand
      timeout         = "3600s"

      containers {
        image   = "docker.io/library/python:3.11.14-slim-bookworm"                   # cloudbuild.yaml gathers the wheels with the same one
        command = ["python3", "-I", "-c", file("${path.module}/../deploy/start.py")] # runs nothing but what the release's name stands for
        args    = ["migrate", "--check"]                                             # changes nothing, where somebody runs the job without saying what

        resources {
          limits = { cpu = "1", memory = "1Gi" }
        }

        dynamic "env" {
          for_each = merge(
            local.settings,
            { RELEASE = "", REGION = var.region, CLOUDSQL_USER = each.value.user, SLUICE_HOME = "/tmp/sluice" },
            each.key == "migrate" ? { DATABASE_MEMBERS = jsonencode(local.database_members) } : {},
          )

          content {
            name  = env.key
            value = env.value
          }
        }

        volume_mounts {
          name       = "releases"
          mount_path = "/releases"
        }
      }

      volumes {
        name = "releases"

        gcs {
          bucket    = google_storage_bucket.releases.name
          read_only = true
        }
      }

      vpc_access {
        egress = "ALL_TRAFFIC"

        network_interfaces {
          network    = google_compute_network.main.id
          subnetwork = contains(each.value.tags, "outside") ? google_compute_subnetwork.outside.id : google_compute_subnetwork.functions.id
          tags       = each.value.tags
        }
      }
    }
  }

  depends_on = [
    terraform_data.agents,
    google_service_account_iam_member.apply_acts_as,
    google_storage_bucket_iam_member.jobs,
    google_project_iam_member.migrate_database,
    google_project_iam_member.operate_database,
    google_sql_database.sluice,
    google_compute_firewall.allow_database_to_jobs,
    google_compute_firewall.allow_google,
    google_compute_firewall.deny_out,
    google_dns_record_set.google_apis,
  ]
}
