locals {
  table     = yamldecode(file("${path.module}/../functions/functions.yaml"))
  topics    = toset(local.table.topics)
  functions = { for name, row in local.table.functions : name => row if contains(try(row.environments, [var.environment]), var.environment) }

  # Names of functions have underscores; most names of Google Cloud may not.
  slug = { for name in keys(local.functions) : name => replace(name, "_", "-") }

  manifest = jsondecode(file("${var.package_dir}/manifest.json")).functions

  labels = {
    app         = "sluice"
    environment = var.environment
    managed_by  = "terraform"
  }
}
