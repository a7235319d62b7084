# Google's service agents: asked for, waited for, given what they need, waited for again. See docs/decisions/0023.
#
# An agent is an account of Google's inside the project. Most exist only after their service was used for the first
# time; a grant to one that does not exist fails, and a grant takes a minute or two to be seen everywhere. So the order is
#   google_project_service.service  the API is on
#   terraform_data.agent            the agent is asked for (the google provider cannot; google-beta can)
#   terraform_data.agents_exist     a first wait: IAM must know the new account before it can be granted anything
#   the grants below and in kms.tf
#   terraform_data.agents           a second wait; everything that an agent has a part in depends on it
variable "agents_wait_seconds" {
  description = "Seconds to wait for new service agents, and again for their grants. 0: neither ask for agents (gcloud) nor wait; for tests and plans without a project."
  type        = number
  default     = 120

  validation {
    condition     = var.agents_wait_seconds >= 0 && var.agents_wait_seconds <= 600
    error_message = "agents_wait_seconds must be 0 to 600; IAM documents two minutes as usual, seven as the most for a change."
  }
}

locals {
  # Agent => the domain of its account, and the role that Google gives it where it is made by use and not by asking.
  # (https://cloud.google.com/iam/docs/service-agents lists both.)
  asked_agents = {
    artifactregistry = { domain = "gcp-sa-artifactregistry", role = "roles/artifactregistry.serviceAgent" }
    cloudbuild       = { domain = "gcp-sa-cloudbuild", role = "roles/cloudbuild.serviceAgent" }
    cloudfunctions   = { domain = "gcf-admin-robot", role = "roles/cloudfunctions.serviceAgent" }
    cloudscheduler   = { domain = "gcp-sa-cloudscheduler", role = "roles/cloudscheduler.serviceAgent" }
    pubsub           = { domain = "gcp-sa-pubsub", role = null } # below, for each thing that it does
    run              = { domain = "serverless-robot-prod", role = "roles/run.serviceAgent" }
    secretmanager    = { domain = "gcp-sa-secretmanager", role = null } # needs its key only
    sqladmin         = { domain = "gcp-sa-cloud-sql", role = "roles/cloudsql.serviceAgent" }
  }

  agent = merge(
    { for name, agent in local.asked_agents :
      name => "serviceAccount:service-${data.google_project.this.number}@${agent.domain}.iam.gserviceaccount.com"
    },
    {
      # Reading these two makes them.
      storage  = "serviceAccount:${data.google_storage_project_service_account.agent.email_address}"
      bigquery = "serviceAccount:${data.google_bigquery_default_service_account.agent.email}"
    },
  )
}

data "google_storage_project_service_account" "agent" {}

data "google_bigquery_default_service_account" "agent" {}

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
  for_each = { for name, agent in local.asked_agents : name => agent.role if agent.role != null }

  project = var.project
  role    = each.value
  member  = local.agent[each.key]

  depends_on = [terraform_data.agents_exist]
}

# Pub/Sub signs its pushes, and Scheduler its calls, as these accounts and as no other.
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
