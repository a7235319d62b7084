# Every row of functions/functions.yaml becomes a function, what calls it and what it may do. table.tf checks the rows.
locals {
  pushed    = toset([for name, row in local.functions : name if anytrue([for trigger in row.triggers : can(trigger.topic)])])
  scheduled = { for name, row in local.functions : name => one([for trigger in row.triggers : trigger.schedule if can(trigger.schedule)]) if anytrue([for trigger in row.triggers : can(trigger.schedule)]) }

  # Those that are called from outside. What is there for development only answers the functions, inside the network.
  public = toset([for name, row in local.functions : name if anytrue([for trigger in row.triggers : can(trigger.http)]) && try(row.environments, []) != ["dev"]])

  # CPUs that Google gives with each size of memory: https://cloud.google.com/functions/docs/configuring/memory
  cpu = { "128Mi" = "0.0833", "256Mi" = "0.1666", "512Mi" = "0.3333", "1Gi" = "0.5833", "2Gi" = "1", "4Gi" = "2" }

  max_instances = { for name, row in local.functions : name => lookup(var.max_instances, name, row.max_instances) }

  # Of the settings in .env.example those that follow from what is made here; var.settings has the others.
  settings = merge(local.simulation, {
    GOOGLE_CLOUD_PROJECT = var.project
    LANDING_BUCKET       = google_storage_bucket.bucket["landing"].name
    LAKE_BUCKET          = google_storage_bucket.bucket["lake"].name
    QUARANTINE_BUCKET    = google_storage_bucket.bucket["quarantine"].name
    BIGQUERY_LOCATION    = var.bigquery_location
    CLOUDSQL_INSTANCE    = "${var.project}:${var.region}:${local.database_instance}"
    CLOUDSQL_DATABASE    = local.database
    RUNBOOK_URL          = var.runbook_url
    OPERATORS            = join(",", [for member in var.operators : split(":", member)[1]])
    REPORT_READERS       = join(",", [for member in var.report_readers : split(":", member)[1]])
  })

  # Where the simulated product API is deployed (dev), extract_products talks to it: at the address that Cloud Run gives
  # by rule, as nothing here can know the other before the function is there.
  product_api = "https://product-api-${data.google_project.this.number}.${var.region}.run.app"
  simulation = contains(keys(local.functions), "product_api") ? {
    PRODUCT_API_URL      = local.product_api
    PRODUCT_API_AUDIENCE = local.product_api
    PRODUCT_API_DATA     = "gs://${var.project}-lake/simulation/products.ndjson"
  } : {}
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name            = each.key
  slug            = local.slug[each.key]
  row             = each.value
  max_instances   = local.max_instances[each.key]
  cpu             = each.value.concurrency > 1 ? "1" : local.cpu[each.value.memory] # several requests at once need a whole one
  public          = contains(local.public, each.key)
  project         = var.project
  region          = var.region
  service_account = google_service_account.function[each.key].email
  builder         = google_service_account.builder.name
  repository      = google_artifact_registry_repository.functions.id
  kms_key         = google_kms_crypto_key.key["functions"].id
  source_bucket   = google_storage_bucket.source.name
  package_dir     = var.package_dir
  bundle          = local.manifest[each.key]
  network         = google_compute_network.main.id
  subnetwork      = try(each.value.outside, false) ? google_compute_subnetwork.outside.id : google_compute_subnetwork.functions.id
  tags            = concat([local.slug[each.key]], try(each.value.outside, false) ? ["outside"] : [])

  environment_variables = merge(
    local.settings,
    var.settings,
    contains(each.value.roles, "database_client") ? { CLOUDSQL_USER = trimsuffix(google_service_account.function[each.key].email, ".gserviceaccount.com") } : {},
  )

  secrets = {
    for name in each.value.secrets : name => { secret = google_secret_manager_secret.secret[name].secret_id, version = var.secret_versions[name] }
    if contains(keys(var.secret_versions), name)
  }

  # The build needs its account's grants, the image its repository's key, a start the secret's reader. The user of the
  # database is there before, and goes after: load_postgres holds temporary tables as long as its instances live.
  depends_on = [
    terraform_data.agents,
    terraform_data.builder,
    google_secret_manager_secret_iam_member.reader,
    google_sql_user.function,
    terraform_data.table,
  ]
}

# The images of the functions. A function with a key of ours must have its image in a repository with the same key.
resource "google_artifact_registry_repository" "functions" {
  repository_id = "functions"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the functions, built by Cloud Functions from the bundles."
  kms_key_name  = google_kms_crypto_key.key["functions"].id

  depends_on = [terraform_data.agents]
}
