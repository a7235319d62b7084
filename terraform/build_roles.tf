# What the builds' accounts may do in the project. Neither is owner, editor or viewer. Their own rights are changed from a
# laptop: the account that applies may not grant what it has.
locals {
  plan_roles = toset([
    "roles/artifactregistry.reader",
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
    "roles/cloudbuild.builds.editor", # triggers
    "roles/cloudbuild.readTokenAccessor",
    "roles/cloudfunctions.admin",
    "roles/cloudkms.admin", # makes keys, uses none
    "roles/cloudscheduler.admin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin", # firewall rules
    "roles/dns.admin",
    "roles/iam.roleAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/logging.configWriter",
    "roles/logging.logWriter",
    "roles/monitoring.editor",
    "roles/run.admin",
    "roles/servicenetworking.networksAdmin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/serviceusage.serviceUsageConsumer",
  ])

  # Google's own roles for these services also read what is in them: objects, rows, messages, secrets. This one does not.
  # It may grant on them, though, and so let itself in; that leaves a trace in the audit log, and the approval is before it.
  stores = {
    "storage.buckets"       = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "bigquery.datasets"     = ["create", "delete", "get", "getIamPolicy", "setIamPolicy", "update"]
    "bigquery.tables"       = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "pubsub.topics"         = ["attachSubscription", "create", "delete", "detachSubscription", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "pubsub.subscriptions"  = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "secretmanager.secrets" = ["create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update"]
    "cloudsql.instances"    = ["create", "delete", "get", "list", "update"]
    "cloudsql.databases"    = ["create", "delete", "get", "list", "update"]
    "cloudsql.users"        = ["create", "delete", "get", "list", "update"]
  }

  # The only roles that it may grant on the project: those that this installation grants there, but for the builds' own.
  grantable = distinct(concat(
    [for agent in local.asked_agents : agent.role if agent.role != null],
    flatten([for roles in values(local.project_roles) : values(roles)]),
    values(local.database_roles),
    [local.subscriptions_lister, local.jobs_auditor],
    ["roles/bigquery.jobUser", "roles/logging.logWriter", "roles/storage.objectViewer", "roles/cloudbuild.builds.approver"],
    tolist(local.operate_roles),
  ))
}

resource "google_project_iam_custom_role" "stores" {
  role_id     = "sluiceStores"
  title       = "Sluice: sets stores up"
  description = "Makes, changes and drops what holds rows; reads none."
  permissions = sort(flatten([for of, verbs in local.stores : [for verb in verbs : "${of}.${verb}"]]))

  depends_on = [google_project_service.service]
}

resource "google_project_iam_member" "plan" {
  for_each = local.plan_roles

  project = var.project
  role    = each.key
  member  = google_service_account.build["plan"].member
}

resource "google_project_iam_member" "apply" {
  # checkov:skip=CKV_GCP_49:it makes accounts and triggers, after an approval; it acts as those named below and no others
  for_each = setunion(local.apply_roles, ["projects/${var.project}/roles/sluiceStores"])

  project = var.project
  role    = each.key
  member  = google_service_account.build["apply"].member

  depends_on = [google_project_iam_custom_role.stores]
}

# It deploys functions, jobs, pushes and schedules that run or call as other accounts.
resource "google_service_account_iam_member" "apply_acts_as" {
  for_each = merge(
    { for name, account in google_service_account.function : "function-${name}" => account.name },
    { for name, account in google_service_account.invoker : "invoker-${name}" => account.name },
    {
      builder = google_service_account.builder.name
      migrate = google_service_account.migrate.name
      operate = google_service_account.operate.name
      plan    = google_service_account.build["plan"].name
      apply   = google_service_account.build["apply"].name
    },
  )

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.build["apply"].member
}

# https://cloud.google.com/iam/docs/setting-limits-on-granting-roles; by tens, as one list is limited. Terraform changes
# one role at a time, so each change is within one of the lists.
resource "google_project_iam_member" "apply_grants" {
  project = var.project
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.build["apply"].member

  condition {
    title      = "roles of the installation only"
    expression = join(" || ", [for ten in chunklist(sort(local.grantable), 10) : "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${jsonencode(ten)})"])
  }
}
