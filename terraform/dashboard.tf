# One tile for each row of dashboard.yaml, two beside each other.
locals {
  tiles = yamldecode(file("${path.module}/dashboard.yaml"))
}

resource "google_monitoring_dashboard" "sluice" {
  dashboard_json = jsonencode({
    displayName = "Sluice ${var.environment}"
    labels      = local.labels
    gridLayout = {
      columns = "2"
      widgets = [for tile in local.tiles : {
        title = tile.title
        xyChart = {
          dataSets = [{
            plotType = "LINE"
            timeSeriesQuery = {
              timeSeriesFilter = {
                filter = join(" AND ", [
                  "resource.type = \"${try(tile.resource, "cloud_run_revision")}\"",
                  "metric.type = \"${can(regex("/", tile.metric)) ? tile.metric : "logging.googleapis.com/user/${google_logging_metric.metric[tile.metric].name}"}\"",
                ])
                aggregation = {
                  alignmentPeriod    = "300s"
                  perSeriesAligner   = tile.align
                  crossSeriesReducer = tile.reduce
                  groupByFields      = tile.by
                }
              }
            }
          }]
          yAxis = { label = tile.unit, scale = "LINEAR" }
        }
      }]
    }
  })

  depends_on = [terraform_data.metrics_known]
}
