# Buckets. What each holds, for how long and why is one table: shared/retention.yaml, told in docs/data-retention.md.
#
# Soft delete is off and there are no versions where rows of people may lie: what is erased must be gone, not hidden
# for a week. The bundles are ours, so they have both.
locals {
  buckets = toset(["landing", "lake", "quarantine", "raw"])

  retention = [for row in yamldecode(file("${path.module}/../shared/retention.yaml")).retention : row if row.store == "bucket" && row.enforced_by == "lifecycle"]
  expiring = { for bucket in setunion(local.buckets, ["source"]) : bucket => {
    for row in local.retention : trimprefix(row.place, "${bucket}/") => row.days if startswith(row.place, "${bucket}/")
  } }
}

resource "google_storage_bucket" "bucket" {
  for_each = local.buckets

  name                        = "${var.project}-${each.key}"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.environment == "dev"

  encryption {
    default_kms_key_name = google_kms_crypto_key.key["storage"].id
  }

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # Where two prefixes fit an object, the shorter time wins.
  dynamic "lifecycle_rule" {
    for_each = local.expiring[each.key]

    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = lifecycle_rule.key == "" ? null : [lifecycle_rule.key]
      }
    }
  }

  # What is kept for years is hardly read after its first months.
  dynamic "lifecycle_rule" {
    for_each = { for prefix, days in local.expiring[each.key] : prefix => days if days > 365 }

    content {
      action {
        type          = "SetStorageClass"
        storage_class = "COLDLINE"
      }
      condition {
        age            = 90
        matches_prefix = lifecycle_rule.key == "" ? null : [lifecycle_rule.key]
      }
    }
  }

  # A file that was never wholly uploaded has no name under which anybody would find it.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  # The agent must be able to use the key before the first bucket names it.
  depends_on = [terraform_data.agents]
}

resource "google_storage_bucket" "source" {
  name                        = "${var.project}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # bundles are built again from the repository

  encryption {
    default_kms_key_name = google_kms_crypto_key.key["functions"].id
  }

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = local.expiring["source"][""]
    }
  }

  depends_on = [terraform_data.agents]
}

# The whole bucket, not only the folders that we know: a file in a wrong place must be refused in the ledger, not
# overlooked.
resource "google_storage_notification" "uploads" {
  bucket         = google_storage_bucket.bucket["landing"].name
  topic          = google_pubsub_topic.topic["uploads"].id
  event_types    = ["OBJECT_FINALIZE"]
  payload_format = "JSON_API_V1"

  # Cloud Storage checks at creation that its agent may publish.
  depends_on = [terraform_data.agents_may_deliver]
}
