# Who is told: e-mail of everything, PagerDuty of what is critical. Beside them notify posts the pipeline's own alerts to
# ALERT_WEBHOOK_URL.
resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  display_name = "sluice ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = local.labels

  depends_on = [google_project_service.service]
}

resource "google_monitoring_notification_channel" "pagerduty" {
  count = nonsensitive(var.pagerduty_key != "") ? 1 : 0

  display_name = "sluice PagerDuty"
  type         = "pagerduty"
  user_labels  = local.labels

  sensitive_labels {
    service_key = var.pagerduty_key
  }

  depends_on = [google_project_service.service]
}

locals {
  emailed = [for address in sort(var.alert_emails) : google_monitoring_notification_channel.email[address].id]
  channels = {
    warning  = local.emailed
    critical = concat(local.emailed, google_monitoring_notification_channel.pagerduty[*].id)
  }
}
