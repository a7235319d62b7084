# Secrets by name only: no payload ever is in a variable, a plan or the state. An operator adds the version
# (`gcloud secrets versions add ALERT_WEBHOOK_URL --data-file=-`) and then names its number in `secret_versions`; so the
# first apply passes without one, and a function that starts always finds the version that it is given.
locals {
  secrets = toset(flatten([for row in local.functions : row.secrets]))

  secret_readers = merge([
    for name, row in local.functions : { for secret in row.secrets : "${name}-${secret}" => { function = name, secret = secret } }
  ]...)
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  secret_id           = each.key
  version_destroy_ttl = "604800s" # a destroyed version can be had back for a week

  replication {
    user_managed {
      replicas {
        location = var.region
        customer_managed_encryption {
          kms_key_name = google_kms_crypto_key.key["secrets"].id
        }
      }
    }
  }

  depends_on = [terraform_data.agents]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_readers

  secret_id = google_secret_manager_secret.secret[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
