# Who may do what. Every function runs as an account of its own; a role of functions.yaml is what that account may do,
# granted on the very bucket, topic or subscription. A project is named only where Google knows nothing smaller.
resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "fn-${local.slug[each.key]}"
  display_name = "Function ${each.key}"

  depends_on = [terraform_data.agents_exist]
}

# Who calls a pushed or scheduled function: an account for each, which may call this one and nothing else.
resource "google_service_account" "invoker" {
  for_each = setunion(local.pushed, keys(local.scheduled))

  account_id   = "invoke-${local.slug[each.key]}"
  display_name = "Caller of ${each.key}"

  depends_on = [terraform_data.agents_exist]
}

locals {
  objects_writer = "projects/${var.project}/roles/${google_project_iam_custom_role.objects_writer.role_id}"

  # role of functions.yaml => grants on a bucket
  bucket_roles = {
    landing_reader    = { bucket = "landing", role = "roles/storage.objectViewer" }
    landing_writer    = { bucket = "landing", role = local.objects_writer }
    lake_reader       = { bucket = "lake", role = "roles/storage.objectViewer" }
    lake_writer       = { bucket = "lake", role = local.objects_writer }
    quarantine_reader = { bucket = "quarantine", role = "roles/storage.objectViewer" }
    quarantine_writer = { bucket = "quarantine", role = local.objects_writer }
  }

  # role of functions.yaml => grants on the project, as there is nothing smaller: a job of BigQuery and the list of
  # subscriptions belong to the project; Cloud SQL's are narrowed to our instance by a condition.
  project_roles = {
    dead_letter_reader = { lister = local.subscriptions_lister }
    warehouse_reader   = { jobs = "roles/bigquery.jobUser" }
    warehouse_writer   = { jobs = "roles/bigquery.jobUser" }
    warehouse_auditor  = { jobs = "roles/bigquery.jobUser", auditor = local.jobs_auditor }
  }
  subscriptions_lister = "projects/${var.project}/roles/${google_project_iam_custom_role.subscriptions_lister.role_id}"
  jobs_auditor         = "projects/${var.project}/roles/${google_project_iam_custom_role.jobs_auditor.role_id}"
  database_roles       = { client = "roles/cloudsql.client", user = "roles/cloudsql.instanceUser" }
  other_roles          = ["publisher", "database_client"]
  known_roles          = concat(keys(local.bucket_roles), keys(local.project_roles), local.other_roles)

  bucket_grants = merge([
    for name, row in local.functions : { for role in row.roles : "${name}-${role}" => merge({ function = name }, local.bucket_roles[role]) if contains(keys(local.bucket_roles), role) }
  ]...)

  project_grants = merge(flatten([
    for name, row in local.functions : [
      for role in row.roles : { for what, granted in lookup(local.project_roles, role, {}) : "${name}-${what}" => { function = name, role = granted } }
    ]
  ])...)

  database_grants = merge([
    for name, row in local.functions : { for what, granted in local.database_roles : "${name}-${what}" => { function = name, role = granted } } if contains(row.roles, "database_client")
  ]...)

  publish_grants = merge([
    for name, row in local.functions : { for topic in try(row.publishes, []) : "${name}-${topic}" => { function = name, topic = topic } }
  ]...)

  dead_letter_grants = merge([
    for name, row in local.functions : { for dead in local.dead : "${name}-${dead}" => { function = name, dead = dead } } if contains(row.roles, "dead_letter_reader")
  ]...)

  callers = merge(
    { for name, account in google_service_account.invoker : "${name}-invoker" => { function = name, member = account.member } },
  )
  outside_callers = merge(
    { for pair in setproduct(local.public, var.operators) : "${pair[0]}-${pair[1]}" => { function = pair[0], member = pair[1] } },
    { for member in var.report_readers : "report-${member}" => { function = "report", member = member } if contains(local.public, "report") },
    { for name in keys(local.functions) : "product_api-extract_products" => { function = name, member = google_service_account.function["extract_products"].member } if name == "product_api" },
  )
}

# Objects are written once, under ifGenerationMatch=0. A repeat meets the object and must get 412; Cloud Storage asks for
# the right to delete before it looks at the condition, and without it the answer were 403. Nobody may change or list here.
resource "google_project_iam_custom_role" "objects_writer" {
  role_id     = "sluiceObjectsWriter"
  title       = "Sluice: writes objects"
  description = "Writes new objects; granted on single buckets."
  permissions = ["storage.objects.create", "storage.objects.delete"]

  depends_on = [terraform_data.agents_exist]
}

resource "google_project_iam_custom_role" "subscriptions_lister" {
  role_id     = "sluiceSubscriptionsLister"
  title       = "Sluice: lists subscriptions"
  description = "Finds the dead-letter subscriptions by their names; reading them is granted on each."
  permissions = ["pubsub.subscriptions.list"]

  depends_on = [terraform_data.agents_exist]
}

resource "google_project_iam_custom_role" "jobs_auditor" {
  role_id     = "sluiceJobsAuditor"
  title       = "Sluice: reads the jobs of BigQuery"
  description = "INFORMATION_SCHEMA.JOBS of the whole project: who asked what, and what it cost; no data."
  permissions = ["bigquery.jobs.listAll"]

  depends_on = [terraform_data.agents_exist]
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = local.bucket_grants

  bucket = google_storage_bucket.bucket[each.value.bucket].name
  role   = each.value.role
  member = google_service_account.function[each.value.function].member
}

resource "google_storage_bucket_iam_member" "uploader" {
  for_each = toset(var.uploaders)

  bucket = google_storage_bucket.bucket["landing"].name
  role   = "roles/storage.objectCreator"
  member = each.key
}

resource "google_pubsub_topic_iam_member" "producer" {
  for_each = toset(var.producers)

  topic  = google_pubsub_topic.topic["transactions"].id
  role   = "roles/pubsub.publisher"
  member = each.key
}

resource "google_project_iam_member" "function" {
  for_each = local.project_grants

  project = var.project
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member
}

# https://cloud.google.com/sql/docs/postgres/iam-conditions
resource "google_project_iam_member" "database" {
  for_each = local.database_grants

  project = var.project
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member

  condition {
    title      = "our instance only"
    expression = "resource.type == \"sqladmin.googleapis.com/Instance\" && resource.name == \"projects/${var.project}/instances/${local.database_instance}\""
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publish_grants

  topic  = google_pubsub_topic.topic[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

resource "google_pubsub_subscription_iam_member" "dead_letter_reader" {
  for_each = local.dead_letter_grants

  subscription = google_pubsub_subscription.dead[each.value.dead].id
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.function[each.value.function].member
}

resource "google_cloud_run_service_iam_member" "invoker" {
  for_each = merge(local.callers, local.outside_callers)

  location = var.region
  service  = module.function[each.value.function].name
  role     = "roles/run.invoker"
  member   = each.value.member
}
