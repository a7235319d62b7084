# What is promised: docs/monitoring.md. The bounds are bounds of the metrics' buckets (metrics.tf), so nothing is guessed.
locals {
  slos = yamldecode(file("${path.module}/slos.yaml"))

  # Fast: a fiftieth of the month's allowance in an hour. Slow: a twentieth in six hours
  # (https://sre.google/workbook/alerting-on-slos/, chapter 5, table 5-2).
  burns = merge([for name, slo in local.slos : {
    "${name}-fast" = { slo = name, lookback = 3600, rate = 14.4, severity = "critical" }
    "${name}-slow" = { slo = name, lookback = 21600, rate = 6, severity = "warning" }
  }]...)
}

resource "google_monitoring_custom_service" "sluice" {
  service_id   = "sluice"
  display_name = "Sluice"
  user_labels  = local.labels

  depends_on = [google_project_service.service]
}

resource "google_monitoring_slo" "slo" {
  for_each = local.slos

  service             = google_monitoring_custom_service.sluice.service_id
  slo_id              = each.key
  display_name        = each.value.says
  goal                = each.value.goal
  rolling_period_days = 30
  user_labels         = local.labels

  request_based_sli {
    distribution_cut {
      distribution_filter = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.metric[each.value.metric].name}\""

      range {
        min = 0
        max = each.value.seconds
      }
    }
  }

  depends_on = [terraform_data.metrics_known]
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burns

  display_name          = "sluice slo-${each.key}"
  severity              = upper(each.value.severity)
  combiner              = "OR"
  notification_channels = local.channels[each.value.severity]
  user_labels           = merge(local.labels, { alert = "slo-${each.key}" })

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.environment}: sluice slo-${each.key}"
    content   = "The month's allowance of late ones is used ${each.value.rate} times too fast: ${local.slos[each.value.slo].says} What to do: ${var.runbook_url}#${local.slos[each.value.slo].runbook}"
  }

  conditions {
    display_name = local.slos[each.value.slo].says

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${google_monitoring_slo.slo[each.value.slo].name}\", \"${each.value.lookback}s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.rate
      duration        = "0s"

      trigger {
        count = 1
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
