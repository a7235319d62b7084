# A job for each schedule of functions.yaml, named as its function: shared/events.py and `sluice trigger` know it so.
resource "google_cloud_scheduler_job" "job" {
  for_each = local.scheduled

  name        = each.key
  description = "Sluice: calls ${each.key}"
  region      = var.region
  schedule    = each.value
  time_zone   = "Etc/UTC"

  # Above the function's timeout, so that it is the function that ends, and says so in its log; 30 minutes at most.
  attempt_deadline = "${local.functions[each.key].timeout_seconds + 60}s"

  retry_config {
    retry_count          = 3 # as local/scheduler.py
    min_backoff_duration = "10s"
    max_backoff_duration = "60s"
    max_doublings        = 3
  }

  http_target {
    http_method = "POST"
    uri         = module.function[each.key].uri

    oidc_token {
      service_account_email = google_service_account.invoker[each.key].email
      audience              = module.function[each.key].uri
    }
  }

  depends_on = [google_cloud_run_service_iam_member.invoker]
}
