# Who builds the functions' images: an account with what a build needs, in place of Google's default one, which may
# read and write every bucket (https://cloud.google.com/functions/docs/securing/build-custom-sa).
resource "google_service_account" "builder" {
  account_id   = "function-builder"
  display_name = "Builds the functions' images"

  depends_on = [terraform_data.agents_exist]
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  location   = var.region
  repository = google_artifact_registry_repository.functions.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.builder.member
}

# Cloud Functions copies a bundle to a bucket of its own first. That one does not exist before the first function, so
# nothing can be granted on it; its name is known.
resource "google_project_iam_member" "builder_copies" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "copies of the bundles only"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

# Waits until the first build may read and write, until a function may read its secrets, which is checked when it is
# deployed, and until the account that rolls out may deploy as a new one.
resource "terraform_data" "builder" {
  triggers_replace = concat(
    [
      google_project_iam_member.builder_logs.id,
      google_project_iam_member.builder_copies.id,
      google_storage_bucket_iam_member.builder.id,
      google_artifact_registry_repository_iam_member.builder.id,
    ],
    [for grant in google_service_account_iam_member.apply_acts_as : grant.id],
    [for grant in google_secret_manager_secret_iam_member.reader : grant.id],
  )

  provisioner "local-exec" {
    command = "sleep ${var.agents_wait_seconds}"
  }
}
