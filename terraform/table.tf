# What would go wrong later is refused before anything is planned: a bad row of functions.yaml, and more instances than
# Postgres has connections for.
module "table" {
  source = "./modules/table"

  text     = file("${path.module}/../functions/functions.yaml")
  folders  = [for path in fileset("${path.module}/../functions", "*/main.py") : dirname(path)]
  bundles  = keys(local.manifest)
  roles    = local.known_roles
  secrets  = ["ALERT_WEBHOOK_URL"]
  memories = keys(local.cpu)
}

locals {
  # One connection for each request at a time; and during a deployment the instances of two revisions.
  connections       = { for name, row in local.functions : name => local.max_instances[name] * row.concurrency if contains(row.roles, "database_client") }
  connections_most  = 2 * sum(values(local.connections))
  connections_bound = floor(0.85 * var.database_max_connections) # the rest is for migrations, operators and Google's own
}

resource "terraform_data" "table" {
  lifecycle {
    precondition {
      condition     = length(module.table.problems) == 0
      error_message = join("\n", module.table.problems)
    }
    precondition {
      condition     = local.connections_most <= local.connections_bound
      error_message = "The functions may hold ${local.connections_most} connections to Postgres while revisions change over, more than ${local.connections_bound} (85 % of database_max_connections = ${var.database_max_connections}): lower max_instances, or give the database more."
    }
    precondition {
      condition     = length(setsubtract(keys(var.max_instances), keys(local.functions))) == 0
      error_message = "max_instances names what is no function here: ${join(", ", setsubtract(keys(var.max_instances), keys(local.functions)))}."
    }
    precondition {
      condition     = length(setsubtract(keys(var.secret_versions), local.secrets)) == 0
      error_message = "secret_versions names what is no secret of a function here: ${join(", ", setsubtract(keys(var.secret_versions), local.secrets))}. Known are ${join(", ", local.secrets)}."
    }
  }
}
