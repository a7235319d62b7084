# What the builds' accounts may do in the project. Neither is owner, editor or viewer. Their own rights, and what the roles of
# this project hold, are changed from a laptop: the account that applies may not grant what it has, nor write a role.
locals {
  plan_roles = toset([
    "roles/artifactregistry.reader",
    "roles/bigquery.jobUser", # asks BigQuery for its agent's name (agents.tf); it reads no rows
    "roles/bigquery.metadataViewer",
    "roles/browser",
    "roles/cloudbuild.builds.viewer",
    "roles/cloudbuild.readTokenAccessor", # fetches the repository's source
    "roles/cloudfunctions.viewer",
    "roles/cloudkms.viewer",
    "roles/cloudscheduler.viewer",
    "roles/cloudsql.viewer",
    "roles/compute.networkViewer",
    "roles/dns.reader",
    "roles/iam.roleViewer",
    "roles/iam.securityReviewer", # getIamPolicy of everything
    "roles/iam.serviceAccountViewer",
    "roles/logging.logWriter",
    "roles/logging.viewer",
    "roles/monitoring.viewer",
    "roles/pubsub.viewer",
    "roles/run.viewer",
    "roles/secretmanager.viewer", # names, no values
    "roles/serviceusage.serviceUsageConsumer",
    "roles/serviceusage.serviceUsageViewer",
    "roles/storage.bucketViewer",
  ])

  apply_roles = toset([
    "roles/artifactregistry.admin",
    "roles/browser",
    "roles/cloudbuild.readTokenAccessor",
    "roles/cloudfunctions.admin",
    "roles/cloudkms.admin", # makes keys, uses none
    "roles/cloudscheduler.admin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin", # firewall rules
    "roles/dns.admin",
    "roles/iam.roleViewer", # it grants roles of this project, and writes none
    "roles/logging.configWriter",
    "roles/logging.logWriter",
    "roles/monitoring.editor",
    "roles/run.admin",
    "roles/servicenetworking.networksAdmin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/serviceusage.serviceUsageConsumer",
  ])

  # Google's own roles for these services may more: read objects, rows, messages and secrets, make keys of accounts, approve
  # builds. This one may not. It may grant on stores and accounts, though, and so could let itself in; that leaves a trace
  # in the audit log, and the approval is before it.
  setup = {
    "storage.buckets"       = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "bigquery.jobs"         = ["create"] # as for the plan: going back plans too
    "bigquery.datasets"     = ["create", "delete", "get", "getIamPolicy", "setIamPolicy", "update"]
    "bigquery.tables"       = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "pubsub.topics"         = ["attachSubscription", "create", "delete", "detachSubscription", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "pubsub.subscriptions"  = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "secretmanager.secrets" = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "cloudsql.instances"    = ["create", "delete", "get", "list", "update"]
    "cloudsql.databases"    = ["create", "delete", "get", "list", "update"]
    "cloudsql.users"        = ["create", "delete", "get", "list", "update"]
    "iam.serviceAccounts"   = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "cloudbuild.builds"     = ["create", "get", "list", "update"] # of triggers too: https://cloud.google.com/build/docs/iam-roles-permissions
  }

  # The only roles that it may grant on the project: those that this installation grants there, but for the builds' own.
  grantable = distinct(concat(
    [for agent in local.asked_agents : agent.role if agent.role != null],
    flatten([for roles in values(local.project_roles) : values(roles)]),
    values(local.database_roles),
    [local.subscriptions_lister, local.jobs_auditor],
    ["roles/bigquery.jobUser", "roles/logging.logWriter", "roles/logging.viewer", "roles/storage.objectViewer", "roles/cloudbuild.builds.approver"],
    tolist(local.operate_roles),
  ))
}

resource "google_project_iam_custom_role" "setup" {
  role_id     = "sluiceSetup"
  title       = "Sluice: sets up"
  description = "Makes, changes and drops stores, accounts and triggers; reads nothing in them."
  permissions = sort(flatten([for of, verbs in local.setup : [for verb in verbs : "${of}.${verb}"]]))

  depends_on = [google_project_service.service]
}

resource "google_project_iam_member" "plan" {
  for_each = local.plan_roles

  project = var.project
  role    = each.key
  member  = google_service_account.build["plan"].member
}

resource "google_project_iam_member" "apply" {
  for_each = setunion(local.apply_roles, ["projects/${var.project}/roles/sluiceSetup"])

  project = var.project
  role    = each.key
  member  = google_service_account.build["apply"].member

  depends_on = [google_project_iam_custom_role.setup]
}

# BigQuery lets only those make a view who may query what it reads: https://cloud.google.com/bigquery/docs/views. Ours read
# the marts alone, so these are the only rows that it may read.
resource "google_bigquery_dataset_iam_member" "apply" {
  dataset_id = google_bigquery_dataset.dataset["marts"].dataset_id
  role       = local.reads
  member     = google_service_account.build["apply"].member
}

# It deploys what runs, and what calls, as these accounts and as no other. builder.tf waits for a new one to be seen.
resource "google_service_account_iam_member" "apply_acts_as" {
  for_each = merge(
    { for name, account in google_service_account.function : "function-${name}" => account.name },
    { for name, account in google_service_account.invoker : "invoker-${name}" => account.name },
    { for name, account in google_service_account.build : "build-${name}" => account.name },
    { builder = google_service_account.builder.name, migrate = google_service_account.migrate.name, operate = google_service_account.operate.name },
  )

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.build["apply"].member
}

# https://cloud.google.com/iam/docs/setting-limits-on-granting-roles; by tens, as one list is limited. The provider
# sends several changes at once; where that is refused, as they are not all in one list, it sends each by itself.
resource "google_project_iam_member" "apply_grants" {
  project = var.project
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.build["apply"].member

  condition {
    title      = "roles of the installation only"
    expression = join(" || ", [for ten in chunklist(sort(local.grantable), 10) : "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${jsonencode(ten)})"])
  }
}
