# The builds of cloudbuild*.yaml: what starts them, the bucket between them, and what their accounts may do. The one that
# plans reads how things are set up and writes new releases. The one that applies may set everything up and reads no rows but the marts'.
locals {
  builds = {
    plan     = { file = "cloudbuild.yaml", account = "plan", tag = null, approved = false, what = "checks and plans a release" }
    apply    = { file = "cloudbuild.apply.yaml", account = "apply", tag = "deploy", approved = true, what = "rolls a release out" }
    rollback = { file = "cloudbuild.rollback.yaml", account = "apply", tag = "back", approved = true, what = "goes back to the bundles of an earlier release" }
  }
  builders = toset([for build in local.builds : build.account])
}

resource "google_service_account" "build" {
  for_each = local.builders

  account_id   = "sluice-${each.key}"
  display_name = "Build: ${each.key}"

  depends_on = [google_project_service.service]
}

# A plan holds what is set up in plain text. Releases are never changed, and none is deleted by itself: the one that runs
# may be an old one.
resource "google_storage_bucket" "releases" {
  name                        = "${var.project}-releases"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.environment == "dev"

  encryption {
    default_kms_key_name = google_kms_crypto_key.key["storage"].id
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
    condition {
      age = 90
    }
  }

  depends_on = [terraform_data.agents]
}

# It may add a release and not change one: that takes the right to delete.
resource "google_storage_bucket_iam_member" "release_reader" {
  for_each = local.builders

  bucket = google_storage_bucket.releases.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build[each.key].member
}

resource "google_storage_bucket_iam_member" "release_writer" {
  for_each = { plan = "roles/storage.objectCreator", apply = "roles/storage.objectUser" }

  bucket = google_storage_bucket.releases.name
  role   = each.value
  member = google_service_account.build[each.key].member
}

# The state is in a bucket that was made by hand (docs/deployment.md): the plan reads it, and takes no lock.
resource "google_storage_bucket_iam_member" "state" {
  for_each = { plan = "roles/storage.objectViewer", apply = "roles/storage.objectUser" }

  bucket = "${var.project}-terraform"
  role   = each.value
  member = google_service_account.build[each.key].member
}

resource "google_storage_bucket_iam_member" "bundles" {
  for_each = { plan = "roles/storage.objectViewer", apply = "roles/storage.objectUser" }

  bucket = google_storage_bucket.source.name
  role   = each.value
  member = google_service_account.build[each.key].member
}

resource "google_cloudbuild_trigger" "trigger" {
  for_each = var.repository == null ? {} : local.builds

  name            = "sluice-${each.key}"
  description     = "Sluice: ${each.value.what}"
  location        = var.region
  filename        = each.value.file
  service_account = google_service_account.build[each.value.account].id
  substitutions   = { _ENVIRONMENT = var.environment, _REGION = var.region }
  tags            = ["sluice"]

  repository_event_config {
    repository = var.repository

    # By a tag, and not by hand: whoever may start a build as this account may also start one without the approval.
    push {
      branch = each.value.tag == null ? "^${var.branch}$" : null
      tag    = each.value.tag == null ? null : "^${each.value.tag}-${var.environment}-[0-9a-f]{64}$"
    }
  }

  approval_config {
    approval_required = each.value.approved
  }

  depends_on = [terraform_data.build]
}

resource "google_project_iam_member" "approver" {
  for_each = toset(var.approvers)

  project = var.project
  role    = "roles/cloudbuild.builds.approver"
  member  = each.key
}

# A plan is read before it is approved, and an operator's command names the release that runs: these files of the bucket
# and no other, for a plan that Terraform reads holds also what it does not show.
resource "google_storage_bucket_iam_member" "release_people" {
  for_each = toset(concat(var.approvers, var.operators))

  bucket = google_storage_bucket.releases.name
  role   = "roles/storage.objectViewer"
  member = each.key

  condition {
    title      = "texts of plans, and what runs"
    expression = "resource.name.endsWith(\"/plan.txt\") || resource.name.endsWith(\"/objects/current.json\")"
  }
}

# What must be there before the first build: the base, laid from a laptop by `-target=terraform_data.build`.
resource "terraform_data" "build" {
  triggers_replace = concat(
    [for grant in google_project_iam_member.plan : grant.id],
    [for grant in google_project_iam_member.apply : grant.id],
    [google_project_iam_member.apply_grants.id],
    [for grant in google_service_account_iam_member.apply_acts_as : grant.id],
    [for grant in google_storage_bucket_iam_member.release_reader : grant.id],
    [for grant in google_storage_bucket_iam_member.release_writer : grant.id],
    [for grant in google_storage_bucket_iam_member.state : grant.id],
    [for grant in google_storage_bucket_iam_member.bundles : grant.id],
    # The build that applies writes no roles: it has one of them itself.
    [google_project_iam_custom_role.objects_writer.id, google_project_iam_custom_role.subscriptions_lister.id, google_project_iam_custom_role.jobs_auditor.id],
    # BigQuery makes whoever makes a dataset its owner; so the datasets are in the base, and the build that applies owns none.
    [google_bigquery_dataset_iam_member.apply.id],
    [for job in google_cloud_run_v2_job.job : job.id],
  )
}
