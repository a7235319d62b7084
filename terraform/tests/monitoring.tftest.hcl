# Alerts, service levels and who is told of them, planned without a project.
mock_provider "google" {}

variables {
  project              = "sluice-test-project"
  environment          = "prod"
  agents_wait_seconds  = 0
  metrics_wait_seconds = 0
  settings             = { PRODUCT_API_URL = "https://products.example.com" }
  runbook_url          = "https://shop.example.com/runbook"
  alert_emails         = ["oncall@example.com", "data@example.com"]
  database = {
    tier            = "db-custom-1-3840"
    availability    = "ZONAL"
    disk_size       = 10
    disk_size_limit = 50
    backups         = 7
    log_days        = 7
  }
}

run "every_alert_links_the_runbook_and_tells_somebody" {
  command = plan
  variables {
    pagerduty_key   = "0123456789abcdef0123456789abcdef"
    billing_account = "012345-6789AB-CDEF01"
  }

  assert {
    condition     = alltrue([for alert in concat(values(google_monitoring_alert_policy.alert), values(google_monitoring_alert_policy.burn)) : can(regex("https://shop[.]example[.]com/runbook#[a-z-]+$", one(alert.documentation).content))])
    error_message = "an alert links no section of the runbook"
  }
  assert {
    condition     = alltrue([for alert in concat(values(google_monitoring_alert_policy.alert), values(google_monitoring_alert_policy.burn)) : length(alert.notification_channels) == (alert.severity == "CRITICAL" ? 3 : 2)])
    error_message = "a critical alert is not told to both addresses and PagerDuty, or another not to both addresses"
  }
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.alert : alltrue([for one in alert.conditions : alltrue([for threshold in one.condition_threshold : threshold.evaluation_missing_data == "EVALUATION_MISSING_DATA_INACTIVE" && threshold.duration != "0s"])]) && one(alert.alert_strategy).auto_close == "86400s" && length(alert.conditions) <= 6])
    error_message = "an alert stays open without data, or has more than the six conditions that a policy may have"
  }
  assert {
    condition     = alltrue([for alert in concat(values(google_monitoring_alert_policy.alert), values(google_monitoring_alert_policy.burn)) : alert.user_labels["app"] == "sluice" && contains(["CRITICAL", "WARNING"], alert.severity)])
    error_message = "an alert has no labels or no severity"
  }

  # What the conditions name is there.
  assert {
    condition     = toset(local.alert_lists.subscriptions) == toset([for one in google_pubsub_subscription.push : one.name]) && local.alert_lists.raw_copy == [google_pubsub_subscription.raw.name]
    error_message = "the backlog of a subscription is not watched"
  }
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.alert : alltrue([for one in alert.conditions : alltrue([for threshold in one.condition_threshold : threshold.threshold_value > 2 * tonumber(trimsuffix(google_pubsub_subscription.raw.cloud_storage_config[0].max_duration, "s")) if strcontains(threshold.filter, "oldest_unacked") && strcontains(threshold.filter, google_pubsub_subscription.raw.name)])])])
    error_message = "an alert takes the copy of the stream for stuck while its file is only being filled"
  }
  assert {
    condition     = toset(local.alert_lists.dead_subscriptions) == toset([for one in google_pubsub_subscription.dead : one.name])
    error_message = "the dead letters of a subscription are not watched"
  }
  assert {
    condition     = setunion(local.alert_lists.frequent_jobs, local.alert_lists.hourly_jobs, ["extract_products"]) == toset(keys(google_cloud_scheduler_job.job))
    error_message = "a job is not watched for silence; extract_products, which is daily, is watched by the age of its source"
  }
  assert {
    condition     = google_monitoring_alert_policy.alert["database-connections"].conditions[0].condition_threshold[0].threshold_value == 80
    error_message = "80 % of the connections is another number"
  }

  assert {
    condition     = google_monitoring_slo.slo["events"].goal == 0.999 && one(one(one(google_monitoring_slo.slo["events"].request_based_sli).distribution_cut).range).max == 300
    error_message = "the service level of messages is not 99.9 % within 5 minutes"
  }
  assert {
    condition     = one(one(one(google_monitoring_slo.slo["batches"].request_based_sli).distribution_cut).range).max == 7200
    error_message = "the service level of batches is not 2 hours"
  }
  assert {
    condition     = alltrue([for slo in local.slos : contains(local.seconds_bounds, slo.seconds)])
    error_message = "the bound of a service level lies inside a bucket of its metric, so it would be guessed"
  }
  assert {
    condition     = length(one(google_billing_budget.month[0].all_updates_rule).monitoring_notification_channels) == 2
    error_message = "the budget tells nobody"
  }
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.sluice.dashboard_json).gridLayout.widgets) == length(local.tiles)
    error_message = "the dashboard lost a tile"
  }
}

run "each_wrong_variable_is_refused" {
  command = plan
  variables {
    runbook_url          = "http://shop.example.com/runbook#top"
    alert_emails         = ["user:oncall@example.com"]
    pagerduty_key        = "https://events.pagerduty.com"
    billing_account      = "My Billing Account"
    monthly_budget       = 0
    metrics_wait_seconds = -1
  }
  expect_failures = [
    var.runbook_url,
    var.alert_emails,
    var.pagerduty_key,
    var.billing_account,
    var.monthly_budget,
    var.metrics_wait_seconds,
  ]
}
