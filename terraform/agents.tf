# Google's service agents: asked for, waited for, given what they need, waited for again. Why: docs/decisions/0023.
#
#   google_project_service.service  the API is on
#   terraform_data.agent            the agent is asked for
#   terraform_data.agents_exist     first wait: IAM must know an account before it can be granted anything, and an API
#                                   that was just switched on refuses calls for a minute; so all else comes after it
#   the grants below and in kms.tf
#   terraform_data.agents           second wait; whatever an agent has a part in comes after it: buckets, topics, secrets,
#                                   datasets and the database with their keys, the repository, the functions, the jobs
#
# Grants on what is made later stand beside it: storage agent on `uploads`, Pub/Sub agent on dead letters and on the raw
# bucket (pubsub.tf).
variable "agents_wait_seconds" {
  description = "Seconds to wait for new service agents, and again for their grants. 0: neither ask for agents (gcloud) nor wait; for tests and plans without a project."
  type        = number
  default     = 120

  validation {
    condition     = var.agents_wait_seconds >= 0 && var.agents_wait_seconds <= 600
    error_message = "agents_wait_seconds must be 0 to 600: a grant is usually seen everywhere within two minutes, and may take seven."
  }
}

locals {
  # Agent => the domain of its account, and the role that Google gives it when it comes by use. One that is asked for gets
  # none (https://cloud.google.com/iam/docs/create-service-agents), so the role is granted here; null: it needs only what
  # is granted on single things.
  asked_agents = {
    artifactregistry = { domain = "gcp-sa-artifactregistry", role = null }
    cloudbuild       = { domain = "gcp-sa-cloudbuild", role = "roles/cloudbuild.serviceAgent" }
    cloudfunctions   = { domain = "gcf-admin-robot", role = "roles/cloudfunctions.serviceAgent" }
    cloudscheduler   = { domain = "gcp-sa-cloudscheduler", role = "roles/cloudscheduler.serviceAgent" }
    eventarc         = { domain = "gcp-sa-eventarc", role = null }
    pubsub           = { domain = "gcp-sa-pubsub", role = null }
    run              = { domain = "serverless-robot-prod", role = "roles/run.serviceAgent" }
    secretmanager    = { domain = "gcp-sa-secretmanager", role = null }
    # Peers our network with that of the database; its account is named unlike all others.
    servicenetworking = { domain = "service-networking", role = "roles/servicenetworking.serviceAgent" }
    sqladmin          = { domain = "gcp-sa-cloud-sql", role = "roles/cloudsql.serviceAgent" }
  }

  agent = merge(
    { for name, agent in local.asked_agents :
      name => "serviceAccount:service-${data.google_project.this.number}@${agent.domain}.iam.gserviceaccount.com"
    },
    {
      storage  = "serviceAccount:${data.google_storage_project_service_account.agent.email_address}"
      bigquery = "serviceAccount:${data.google_bigquery_default_service_account.agent.email}"
    },
  )
}

# To read these two is to make them. They and the project are read while planning, so that a plan shows who is granted
# what; hence their APIs, with Resource Manager's, are switched on by hand before the first plan (docs/deployment.md).
data "google_storage_project_service_account" "agent" {}

data "google_bigquery_default_service_account" "agent" {}

data "google_project" "this" {}

# The google provider cannot ask for an agent (google_project_service_identity is google-beta's), gcloud can.
resource "terraform_data" "agent" {
  for_each = local.asked_agents

  triggers_replace = [var.project]

  provisioner "local-exec" {
    command = var.agents_wait_seconds == 0 ? "true" : (
      "gcloud beta services identity create --service=${each.key}.googleapis.com --project=${var.project} --quiet"
    )
  }

  depends_on = [google_project_service.service]
}

resource "terraform_data" "agents_exist" {
  triggers_replace = [for agent in terraform_data.agent : agent.id]

  provisioner "local-exec" {
    command = "sleep ${var.agents_wait_seconds}"
  }
}

resource "google_project_iam_member" "agent" {
  # checkov:skip=CKV_GCP_49:the roles that Google made for its own agents; a policy refuses them to anybody else
  for_each = { for name, agent in local.asked_agents : name => agent.role if agent.role != null }

  project = var.project
  role    = each.value
  member  = local.agent[each.key]

  depends_on = [terraform_data.agents_exist]
}

# Pub/Sub signs its pushes as these accounts. Google's own role for the agent would let it sign as every account of the
# project; it is not needed.
resource "google_service_account_iam_member" "signer" {
  for_each = google_service_account.invoker

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agent["pubsub"]

  depends_on = [terraform_data.agents_exist]
}

resource "terraform_data" "agents" {
  triggers_replace = concat(
    [for grant in google_kms_crypto_key_iam_member.user : grant.id],
    [for grant in google_project_iam_member.agent : grant.id],
    [for grant in google_service_account_iam_member.signer : grant.id],
  )

  provisioner "local-exec" {
    command = "sleep ${var.agents_wait_seconds}"
  }
}
