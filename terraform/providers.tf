provider "google" {
  project               = var.project
  region                = var.region
  default_labels        = local.labels
  user_project_override = true
  billing_project       = var.project
}
