output "functions" {
  description = "Function => its run.app URL."
  value       = { for name, function in module.function : name => function.uri }
}

output "buckets" {
  description = "What it is for => name of the bucket."
  value       = { for name, bucket in google_storage_bucket.bucket : name => bucket.name }
}

output "database_instance" {
  description = "Connection name of the database: project:region:instance."
  value       = local.settings.CLOUDSQL_INSTANCE
}

output "environment" {
  description = "The variables by which `sluice --env-file` finds this installation: terraform output -json environment."
  value = merge(local.settings, var.settings, {
    REGION        = var.region
    FUNCTION_URLS = jsonencode({ for name, function in module.function : name => function.uri })
  })
}

output "connections" {
  description = "Connections to Postgres that each function may hold, and all of them while revisions change over, against what is there."
  value = {
    functions         = local.connections
    during_deployment = local.connections_most
    bound             = local.connections_bound
    max_connections   = var.database_max_connections
  }
}
