# One key for each kind of store: who reads one of them has no use of another's key.
locals {
  # Datasets in a multi-region need a key of the multi-region of Cloud KMS with the matching name:
  # https://cloud.google.com/bigquery/docs/customer-managed-encryption#supported_locations
  bigquery_key_location = lookup({ EU = "europe", US = "us" }, var.bigquery_location, var.bigquery_location)

  # Who encrypts with which key. A missing grant fails the first apply, so each is here by name.
  key_users = {
    storage  = ["storage"]
    pubsub   = ["pubsub"]
    bigquery = ["bigquery"]
    sql      = ["sqladmin"]
    secrets  = ["secretmanager"]
    # The bundle, its image and its instances; Eventarc's by the letter of the same page, though we have none of its
    # triggers: https://cloud.google.com/functions/docs/securing/cmek
    functions = ["artifactregistry", "cloudfunctions", "eventarc", "run", "storage"]
  }
}

variable "key_ring" {
  description = "Name of the key rings. Google never deletes a key ring: after a teardown the next installation in the project needs another name."
  type        = string
  default     = "sluice"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,63}$", var.key_ring))
    error_message = "key_ring must be 1 to 63 letters, digits, _ or -."
  }
}

resource "google_kms_key_ring" "ring" {
  for_each = toset([var.region, local.bigquery_key_location])

  name     = var.key_ring
  location = each.key

  depends_on = [terraform_data.agents_exist]
}

resource "google_kms_crypto_key" "key" {
  for_each = local.key_users

  name                       = each.key
  key_ring                   = google_kms_key_ring.ring[each.key == "bigquery" ? local.bigquery_key_location : var.region].id
  rotation_period            = "7776000s" # 90 days; older versions go on to decrypt
  destroy_scheduled_duration = "2592000s" # 30 days to change one's mind: without its key a store is lost
  deletion_policy            = var.environment == "prod" ? "PREVENT" : "DELETE"
}

resource "google_kms_crypto_key_iam_member" "user" {
  for_each = merge([for key, agents in local.key_users : { for agent in agents : "${key}-${agent}" => { key = key, agent = agent } }]...)

  crypto_key_id = google_kms_crypto_key.key[each.value.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.agent[each.value.agent]

  depends_on = [terraform_data.agents_exist]
}
