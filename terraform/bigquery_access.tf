# Who may do what in the warehouse. Every grant is on a dataset; the right to run a job is on the project, as there is
# nothing smaller. docs/security.md has the same as a table.
locals {
  reads  = "roles/bigquery.dataViewer"
  writes = "roles/bigquery.dataEditor"

  # Function => dataset => what it does there. Its role in functions.yaml says whether it may at all: a precondition
  # below holds the two together, and tests/terraform/test_warehouse_access.py holds this table to what the SQL touches.
  warehouse_use = {
    load_warehouse = { staging = local.writes, sales = local.writes, marts = local.reads } # a refeed asks which days the marts hold
    build_marts    = { staging = local.writes, sales = local.writes, marts = local.writes }
    check_quality  = { staging = local.writes, marts = local.writes }
    close_month    = { sales = local.reads, marts = local.reads }
    reconcile      = { sales = local.reads, marts = local.reads }
    report         = { marts = local.reads }
  }
  warehouse_grants = merge([
    for name, datasets in local.warehouse_use : {
      for dataset, role in datasets : "${name}-${dataset}" => { function = name, dataset = dataset, role = role }
    } if contains(keys(local.functions), name)
  ]...)

  warehouse_writers = [for name, row in local.functions : name if contains(row.roles, "warehouse_writer")]
  warehouse_readers = [for name, row in local.functions : name if contains(row.roles, "warehouse_reader")]

  # Analysts have no row of a single sale: what a person bought, and when, can tell who it is though no name is there.
  people_datasets = {
    analyst         = ["marts"]
    auditor         = ["sales", "marts"]
    operator        = ["sales", "marts", "staging"]
    privacy_officer = ["sales", "marts"]
  }
  people_grants = merge(flatten([
    for role, members in local.people : [
      for pair in setproduct(members, local.people_datasets[role]) : {
        "${role}-${pair[1]}-${pair[0]}" = { dataset = pair[1], member = pair[0] }
      }
    ]
  ])...)
}

resource "google_bigquery_dataset_iam_member" "function" {
  for_each = local.warehouse_grants

  dataset_id = google_bigquery_dataset.dataset[each.value.dataset].dataset_id
  role       = each.value.role
  member     = google_service_account.function[each.value.function].member

  lifecycle {
    precondition {
      condition = contains(
        each.value.role == local.writes ? local.warehouse_writers : concat(local.warehouse_writers, local.warehouse_readers),
        each.value.function
      )
      error_message = "bigquery_access.tf lets ${each.value.function} use ${each.value.dataset}, but its row of functions.yaml has no fitting role."
    }
    precondition {
      condition     = length(setsubtract(concat(local.warehouse_writers, local.warehouse_readers), keys(local.warehouse_use))) == 0
      error_message = "No dataset is named in bigquery_access.tf for ${join(", ", setsubtract(concat(local.warehouse_writers, local.warehouse_readers), keys(local.warehouse_use)))}, whose rows of functions.yaml have a role in the warehouse."
    }
  }
}

resource "google_bigquery_dataset_iam_member" "people" {
  for_each = local.people_grants

  dataset_id = google_bigquery_dataset.dataset[each.value.dataset].dataset_id
  role       = local.reads
  member     = each.value.member
}

resource "google_project_iam_member" "people_jobs" {
  for_each = toset(flatten(values(local.people)))

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = each.key
}

# Who asked what of the warehouse, and what it cost; no data.
resource "google_project_iam_member" "auditors_jobs" {
  for_each = toset(var.auditors)

  project = var.project
  role    = local.jobs_auditor
  member  = each.key
}
