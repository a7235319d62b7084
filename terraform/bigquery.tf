# Datasets, tables and views from the folders of sql/bigquery, as local/resources.py makes them on a laptop:
# <dataset>/<table>/schema.json and metadata.yaml, and view.sql where it is a view.
locals {
  bigquery = "${path.module}/../sql/bigquery"

  described = {
    for path in fileset(local.bigquery, "*/*/schema.json") : join(".", slice(split("/", path), 0, 2)) => {
      dataset  = split("/", path)[0]
      name     = split("/", path)[1]
      schema   = file("${local.bigquery}/${path}")
      metadata = yamldecode(file("${local.bigquery}/${dirname(path)}/metadata.yaml"))
      view     = fileexists("${local.bigquery}/${dirname(path)}/view.sql") ? file("${local.bigquery}/${dirname(path)}/view.sql") : null
    }
  }
  tables = { for name, found in local.described : name => found if found.view == null }
  views  = { for name, found in local.described : name => found if found.view != null }

  datasets = {
    sales   = "Every transaction, user, product and stock level, as Postgres holds them, without anything that names a person."
    marts   = "What reports and analysts read: sums by day and month, and the views over them."
    staging = "Loads and builds on their way; a table here expires after a day."
  }
  staging_days = 1

  # An erased person must be gone: two days is the least that time travel can be; seven more are Google's fail-safe.
  # https://cloud.google.com/bigquery/docs/time-travel
  time_travel_hours = "48"
}

resource "google_bigquery_dataset" "dataset" {
  for_each = local.datasets

  dataset_id                  = each.key
  description                 = each.value
  location                    = var.bigquery_location
  max_time_travel_hours       = local.time_travel_hours
  default_table_expiration_ms = each.key == "staging" ? local.staging_days * 24 * 3600 * 1000 : null
  delete_contents_on_destroy  = each.key == "staging" || var.environment == "dev"

  default_encryption_configuration {
    kms_key_name = google_kms_crypto_key.key["bigquery"].id
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract([for found in local.described : found.dataset], keys(local.datasets))) == 0
      error_message = "sql/bigquery has tables of a dataset that bigquery.tf does not describe: ${join(", ", setsubtract([for found in local.described : found.dataset], keys(local.datasets)))}."
    }
  }

  # The agent must be able to use the key before the first dataset names it.
  depends_on = [terraform_data.agents]
}

resource "google_bigquery_table" "table" {
  for_each = local.tables

  dataset_id               = google_bigquery_dataset.dataset[each.value.dataset].dataset_id
  table_id                 = each.value.name
  description              = each.value.metadata.description
  schema                   = each.value.schema
  clustering               = try(each.value.metadata.cluster, null)
  require_partition_filter = can(each.value.metadata.partition) ? true : null
  deletion_protection      = var.environment != "dev"
  labels                   = local.catalog_labels[each.key]

  dynamic "time_partitioning" {
    for_each = can(each.value.metadata.partition) ? [each.value.metadata.partition] : []

    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }

  encryption_configuration {
    kms_key_name = google_kms_crypto_key.key["bigquery"].id
  }
}

# A view cannot be patched to other columns, and a new query loses the columns' descriptions
# (https://github.com/hashicorp/terraform-provider-google/issues/16647). It holds nothing, so it is made anew.
resource "terraform_data" "view" {
  for_each = local.views

  input = sha256("${each.value.view}${each.value.schema}")
}

resource "google_bigquery_table" "view" {
  # checkov:skip=CKV_GCP_80:a view holds no rows that a key could encrypt; its tables have one
  for_each = local.views

  dataset_id          = google_bigquery_dataset.dataset[each.value.dataset].dataset_id
  table_id            = each.value.name
  description         = each.value.metadata.description
  schema              = each.value.schema
  deletion_protection = false # it holds nothing
  labels              = local.catalog_labels[each.key]

  view {
    query          = each.value.view
    use_legacy_sql = false
  }

  lifecycle {
    replace_triggered_by = [terraform_data.view[each.key]]
  }

  # BigQuery reads the tables when it makes a view, as the account that applies; views read tables only, so there is no order
  # among them.
  depends_on = [google_bigquery_table.table, google_bigquery_dataset_iam_member.apply]
}
