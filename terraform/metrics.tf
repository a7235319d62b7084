# Metrics taken from the functions' log lines: shared/metrics.yaml, the list that the tests hold the log lines against.
locals {
  metrics       = yamldecode(file("${path.module}/../shared/metrics.yaml"))
  metric_prefix = "sluice_"

  # A service level counts a bucket whole: 300 s and 7,200 s must be bounds (slo.tf).
  seconds_bounds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800]
}

resource "google_logging_metric" "metric" {
  for_each = local.metrics

  name        = "${local.metric_prefix}${each.key}"
  description = each.value.description

  filter = join(" AND ", concat(
    ["resource.type=\"cloud_run_revision\"", "jsonPayload.event=\"${each.value.event}\""],
    [for field, value in try(each.value.where, {}) : "jsonPayload.${field}=${jsonencode(value)}"],
    can(each.value.value) ? ["jsonPayload.${each.value.value}:*"] : [],
  ))

  value_extractor  = can(each.value.value) ? "EXTRACT(jsonPayload.${each.value.value})" : null
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit        = try(each.value.unit, "1")

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  dynamic "bucket_options" {
    for_each = can(each.value.value) ? [each.value.unit] : []
    content {
      dynamic "explicit_buckets" {
        for_each = bucket_options.value == "s" ? [local.seconds_bounds] : []
        content {
          bounds = explicit_buckets.value
        }
      }
      dynamic "exponential_buckets" {
        for_each = bucket_options.value == "s" ? [] : [true]
        content {
          scale              = 1
          growth_factor      = 2
          num_finite_buckets = 32
        }
      }
    }
  }

  depends_on = [google_project_service.service]
}

# A log-based metric is there at once, but Cloud Monitoring knows its type only up to 10 minutes later, and an alert or
# service level on an unknown type is refused with 404 "Cannot find metric(s) that match type"
# (https://github.com/hashicorp/terraform-provider-google/issues/11102, open). So whatever reads a metric waits for this.
# Only a new or changed metric waits.
resource "terraform_data" "metrics_known" {
  triggers_replace = sort([for name, metric in google_logging_metric.metric : "${name} ${sha1(jsonencode(local.metrics[name]))}"])

  provisioner "local-exec" {
    command = "sleep ${var.metrics_wait_seconds}"
  }
}
