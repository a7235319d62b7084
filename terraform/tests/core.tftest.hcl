# What comes of functions.yaml, planned without a project: for each environment, and which variables are refused.
mock_provider "google" {}

variables {
  project             = "sluice-test-project"
  environment         = "prod"
  agents_wait_seconds = 0
  operators           = ["user:olaf@example.com"]
  report_readers      = ["serviceAccount:reader@reports.iam.gserviceaccount.com"]
  settings            = { PRODUCT_API_URL = "https://products.example.com" }
  database = {
    tier            = "db-custom-1-3840"
    availability    = "ZONAL"
    disk_size       = 10
    disk_size_limit = 50
    backups         = 7
    log_days        = 7
  }
}

# One run, as each plans everything: what a failure means is its message.
run "prod_is_what_the_table_says" {
  command = plan
  variables {
    repository = "projects/sluice-test-project/locations/europe-west1/connections/host/repositories/shop"
    approvers  = ["group:leads@example.com"]
  }

  assert {
    condition     = { for name, trigger in google_cloudbuild_trigger.trigger : name => one(trigger.approval_config).approval_required } == { plan = false, apply = true, rollback = true }
    error_message = "a build changes the installation without an approval, or one that only looks needs one"
  }
  assert {
    condition     = toset(keys(google_storage_bucket_iam_member.release_people)) == toset(["group:leads@example.com", "user:olaf@example.com"]) && alltrue([for grant in google_storage_bucket_iam_member.release_people : can(regex("plan[.]txt.*current[.]json", one(grant.condition).expression))])
    error_message = "who approves cannot read the plan, an operator cannot read which release runs, or they read more of the releases than that"
  }
  assert {
    condition     = keys(google_project_iam_member.operators_logs) == ["user:olaf@example.com"]
    error_message = "an operator cannot read what the commands answer"
  }
  assert {
    condition     = alltrue([for name in ["apply", "rollback"] : can(regex("-prod-", one(google_cloudbuild_trigger.trigger[name].repository_event_config[0].push).tag))]) && one(google_cloudbuild_trigger.trigger["plan"].repository_event_config[0].push).branch == "^main$"
    error_message = "a trigger starts on something else than its branch or the tag of its environment"
  }
  assert {
    condition     = length(module.function) == length([for row in values(local.table.functions) : row if !can(row.environments)])
    error_message = "prod has other functions than the rows without environments"
  }
  assert {
    condition     = length(google_pubsub_topic.topic) == length(local.table.topics) && length(google_pubsub_subscription.push) == 7
    error_message = "a topic of the table is missing, or a function lost its subscription"
  }
  assert {
    condition     = toset(keys(google_pubsub_topic.dead)) == setunion(keys(google_pubsub_subscription.push), ["raw-transactions"]) && toset(keys(google_pubsub_subscription.dead)) == toset(keys(google_pubsub_topic.dead))
    error_message = "a subscription has no dead-letter topic, or a dead-letter topic no subscription"
  }
  assert {
    condition     = alltrue([for subscription in concat(values(google_pubsub_subscription.push), values(google_pubsub_subscription.dead), [google_pubsub_subscription.raw]) : subscription.message_retention_duration == "604800s" && one(subscription.expiration_policy).ttl == ""])
    error_message = "a subscription forgets messages before a week, or is deleted where nothing comes"
  }
  assert {
    condition     = toset(keys(google_cloud_scheduler_job.job)) == toset([for name, row in local.functions : name if anytrue([for trigger in row.triggers : can(trigger.schedule)])])
    error_message = "a schedule has no job"
  }
  assert {
    condition     = toset(keys(local.bucket_grants)) == toset(flatten([for name, row in local.functions : [for role in row.roles : "${name}-${role}" if can(regex("^(landing|lake|quarantine)_", role))]]))
    error_message = "a role on a bucket is granted to nobody"
  }

  # What comes again comes only after what ran has ended.
  assert {
    condition     = alltrue([for push in google_pubsub_subscription.push : push.ack_deadline_seconds == 600 && one(push.retry_policy).minimum_backoff == "10s" && one(push.retry_policy).maximum_backoff == "600s" && one(push.dead_letter_policy).max_delivery_attempts == 20])
    error_message = "a push has another deadline, backoff or number of attempts than local/resources.py"
  }
  assert {
    condition     = alltrue([for name in local.pushed : local.functions[name].timeout_seconds <= 540])
    error_message = "a pushed function may still run when its message comes again"
  }
  assert {
    condition     = alltrue([for name, job in google_cloud_scheduler_job.job : tonumber(trimsuffix(job.attempt_deadline, "s")) > local.functions[name].timeout_seconds && tonumber(trimsuffix(job.attempt_deadline, "s")) <= 1800])
    error_message = "the Scheduler gives up before the function ends, or waits longer than Google allows"
  }

  # Nobody calls from outside but by name.
  assert {
    condition     = local.public == toset(["close_month", "replay_quarantine", "report"])
    error_message = "another function than those for operators and readers is open to callers from outside"
  }
  assert {
    condition     = length(setintersection(local.public, setunion(local.pushed, keys(local.scheduled)))) == 0
    error_message = "a pushed or scheduled function is open to callers from outside"
  }
  assert {
    condition     = toset(keys(local.outside_callers)) == toset(["close_month-user:olaf@example.com", "replay_quarantine-user:olaf@example.com", "report-user:olaf@example.com", "report-serviceAccount:reader@reports.iam.gserviceaccount.com"])
    error_message = "somebody else may call, or an operator or a reader may not"
  }
  assert {
    condition     = toset(keys(google_service_account.invoker)) == setunion(local.pushed, keys(local.scheduled))
    error_message = "a pushed or scheduled function has no caller of its own"
  }
  assert {
    condition     = alltrue([for bucket in concat(values(google_storage_bucket.bucket), [google_storage_bucket.source]) : bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access])
    error_message = "a bucket can be made public"
  }

  # What is deleted is gone.
  assert {
    condition     = alltrue([for bucket in google_storage_bucket.bucket : one(bucket.soft_delete_policy).retention_duration_seconds == 0 && length(bucket.versioning) == 0])
    error_message = "a bucket keeps what was deleted"
  }
  assert {
    condition     = alltrue([for bucket in local.buckets : length(local.expiring[bucket]) > 0]) && sum([for bucket in keys(local.expiring) : length(local.expiring[bucket])]) == length(local.retention)
    error_message = "a row of shared/retention.yaml has no rule"
  }
  # Only who says so gets out.
  assert {
    condition     = toset([for name, row in local.functions : name if try(row.outside, false)]) == toset(["extract_products", "notify"]) && google_compute_firewall.allow_outside.target_tags == toset(["outside"]) && one(google_compute_firewall.deny_out.deny).protocol == "all"
    error_message = "another function than those two may call hosts that are not Google's"
  }
}

run "dev_has_the_simulated_api_and_who_asks_it" {
  command = plan
  variables {
    environment = "dev"
    settings    = {}
  }

  assert {
    condition     = toset(keys(module.function)) == toset(keys(local.table.functions))
    error_message = "dev lacks a function"
  }
  assert {
    condition     = local.public == toset(["close_month", "replay_quarantine", "report"])
    error_message = "the simulated API is open to callers from outside"
  }
  assert {
    condition     = local.outside_callers["product_api-extract_products"].function == "product_api" && length([for key in keys(local.outside_callers) : key if startswith(key, "product_api-")]) == 1
    error_message = "extract_products may not ask the simulated API, or somebody else may"
  }
  assert {
    condition     = local.settings.PRODUCT_API_URL == local.settings.PRODUCT_API_AUDIENCE
    error_message = "the token for the simulated API is for another address"
  }
}

run "a_secret_without_a_version_is_given_to_nobody" {
  command = plan
  variables {
    environment = "staging"
  }

  assert {
    condition     = keys(google_secret_manager_secret.secret) == ["ALERT_WEBHOOK_URL"] && length(google_secret_manager_secret_iam_member.reader) == 1
    error_message = "the webhook's secret is missing, or another function than notify reads it"
  }
}

run "instances_beyond_the_connections_are_refused" {
  command = plan
  variables {
    database_max_connections = 60
  }
  expect_failures = [terraform_data.table]
}

run "instances_are_counted_as_they_are_set" {
  command = plan
  variables {
    max_instances = { load_postgres = 30 }
  }
  expect_failures = [terraform_data.table]
}

run "a_version_of_an_unknown_secret_is_refused" {
  command = plan
  variables {
    secret_versions = { WEBHOOK = "1" }
  }
  expect_failures = [terraform_data.table]
}

run "an_instance_count_for_nobody_is_refused" {
  command = plan
  variables {
    max_instances = { load_mysql = 1 }
  }
  expect_failures = [terraform_data.table]
}
