variable "repository" {
  description = "The repository that the builds follow: projects/…/locations/…/connections/…/repositories/…, connected by hand. null: no triggers; builds are started from a laptop, without an approval."
  type        = string
  default     = null

  validation {
    condition     = var.repository == null || try(split("/", var.repository)[3], var.region) == var.region
    error_message = "repository is connected in another region than ${var.region}: a trigger takes only a repository of its own region; connect it there."
  }
  validation {
    condition     = var.repository == null || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.repository))
    error_message = "repository must be the full name of a repository of the 2nd generation: see `gcloud builds repositories list --connection=… --region=…`."
  }
}

variable "branch" {
  description = "Pushes to this branch are checked and planned for this environment."
  type        = string
  default     = "main"

  validation {
    condition     = can(regex("^[A-Za-z0-9/_-]+$", var.branch))
    error_message = "branch must be the name of one branch, not a pattern."
  }
}

variable "approvers" {
  description = "Who may approve that a release is rolled out or gone back from, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.approvers : can(regex("^(user|group):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "approvers must be written user:ann@example.com or group:shop@example.com: an approval is a person's."
  }
  validation {
    condition     = var.repository == null || length(var.approvers) > 0
    error_message = "approvers is empty: with a repository and no approver nothing can ever be rolled out."
  }
}
