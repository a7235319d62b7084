# A policy for each row of alerts.yaml. What the rows name is here: lists of resources, and bounds that follow from sizes.
locals {
  alerts = yamldecode(file("${path.module}/alerts.yaml"))

  alert_lists = {
    subscriptions      = sort(keys(local.pushes))
    raw_copy           = [local.raw_copy]
    dead_subscriptions = sort([for name in local.dead : "${name}-dead"])
    services           = sort(values(local.slug))
    frequent_jobs      = sort([for name, cron in local.scheduled : name if startswith(cron, "*/")])
    hourly_jobs        = sort([for name, cron in local.scheduled : name if can(regex("^[0-9]+ [*] ", cron))])
    database_id        = ["${var.project}:${local.database_instance}"]
  }

  # Instances are whole: above the limit less a half is at the limit.
  alert_numbers = merge(
    { for name, most in local.max_instances : "${name}_instances" => most - 0.5 },
    {
      connections = floor(0.8 * var.database_max_connections)
      disk_bytes  = floor(0.8 * var.database.disk_size_limit * 1073741824)
    },
  )

  alert_type = { for name, alert in local.alerts : name => [for one in alert.conditions :
    can(regex("/", one.metric)) ? one.metric : "logging.googleapis.com/user/${google_logging_metric.metric[one.metric].name}"
  ] }

  alert_about = { for name, alert in local.alerts : name => [for number, one in alert.conditions :
    "resource.type = \"${try(one.resource, "cloud_run_revision")}\" AND metric.type = \"${local.alert_type[name][number]}\""
  ] }

  # The series of a condition, and those of the whole that it is a share of.
  alert_filter = { for name, alert in local.alerts : name => [for number, one in alert.conditions :
    join(" AND ", concat([local.alert_about[name][number]], [for label, value in one.only :
      "${label} = one_of(${join(", ", [for each in lookup(local.alert_lists, value, [value]) : jsonencode(each)])})"
    ]))
  ] }
  alert_whole = { for name, alert in local.alerts : name => [for number, one in alert.conditions :
    join(" AND ", concat([local.alert_about[name][number]], [for label, value in try(one.share_of, {}) :
      "${label} = one_of(${join(", ", [for each in lookup(local.alert_lists, value, [value]) : jsonencode(each)])})"
    ]))
  ] }

  alert_links = { for name, alert in local.alerts : name => "${var.runbook_url}#${alert.runbook}" }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "sluice ${each.key}"
  severity              = upper(each.value.severity)
  combiner              = "OR"
  notification_channels = local.channels[each.value.severity]
  user_labels           = merge(local.labels, { alert = each.key })

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.environment}: sluice ${each.key}"
    content   = "${each.value.says} What to do: ${local.alert_links[each.key]}"

    dynamic "links" {
      for_each = startswith(var.runbook_url, "https://") ? [local.alert_links[each.key]] : []
      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }

  dynamic "conditions" {
    for_each = { for number, one in each.value.conditions : number => one if can(one.above) }
    content {
      display_name = each.value.says

      condition_threshold {
        filter             = local.alert_filter[each.key][conditions.key]
        denominator_filter = can(conditions.value.share_of) ? local.alert_whole[each.key][conditions.key] : null
        comparison         = "COMPARISON_GT"
        threshold_value    = try(tonumber(conditions.value.above), local.alert_numbers[conditions.value.above])
        duration           = "${conditions.value.lasting}s"

        # A counter that counts nothing has no values. That something runs at all is job-silent's to say.
        evaluation_missing_data = "EVALUATION_MISSING_DATA_INACTIVE"

        aggregations {
          alignment_period     = "${conditions.value.window}s"
          per_series_aligner   = conditions.value.align
          cross_series_reducer = conditions.value.reduce
          group_by_fields      = conditions.value.by
        }

        dynamic "denominator_aggregations" {
          for_each = can(conditions.value.share_of) ? [conditions.value] : []
          content {
            alignment_period     = "${denominator_aggregations.value.window}s"
            per_series_aligner   = denominator_aggregations.value.align
            cross_series_reducer = denominator_aggregations.value.reduce
            group_by_fields      = denominator_aggregations.value.by
          }
        }

        trigger {
          count = 1
        }
      }
    }
  }

  dynamic "conditions" {
    for_each = { for number, one in each.value.conditions : number => one if can(one.absent) }
    content {
      display_name = each.value.says

      condition_absent {
        filter   = local.alert_filter[each.key][conditions.key]
        duration = "${conditions.value.absent}s"

        aggregations {
          alignment_period     = "${conditions.value.window}s"
          per_series_aligner   = conditions.value.align
          cross_series_reducer = conditions.value.reduce
          group_by_fields      = conditions.value.by
        }

        trigger {
          count = 1
        }
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [terraform_data.metrics_known]
}
