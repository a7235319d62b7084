# One function of functions.yaml: Cloud Functions 2nd gen, built from its bundle, running as its own account.
resource "google_storage_bucket_object" "bundle" {
  bucket = var.source_bucket
  name   = "${var.slug}/${var.bundle.file}" # the file is named by its content: only a changed one is deployed
  source = "${var.package_dir}/${var.bundle.file}"
}

resource "google_cloudfunctions2_function" "this" {
  name         = var.slug
  location     = var.region
  description  = "Sluice: ${var.name}"
  kms_key_name = var.kms_key
  labels       = { function = var.slug }

  build_config {
    runtime           = "python311"
    entry_point       = var.row.entry_point
    docker_repository = var.repository
    service_account   = var.builder

    source {
      storage_source {
        bucket = google_storage_bucket_object.bundle.bucket
        object = google_storage_bucket_object.bundle.name
      }
    }
  }

  service_config {
    service_account_email            = var.service_account
    available_memory                 = var.row.memory
    available_cpu                    = var.cpu
    timeout_seconds                  = var.row.timeout_seconds
    max_instance_request_concurrency = var.row.concurrency
    max_instance_count               = var.max_instances
    min_instance_count               = 0
    all_traffic_on_latest_revision   = true

    # Only what an operator or a client calls is reached from outside, and there Cloud Run asks for an identity.
    ingress_settings = var.public ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"

    direct_vpc_egress = "VPC_EGRESS_ALL_TRAFFIC"
    direct_vpc_network_interface {
      network    = var.network
      subnetwork = var.subnetwork
      tags       = var.tags
    }

    environment_variables = var.environment_variables

    dynamic "secret_environment_variables" {
      for_each = var.secrets

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }
}
