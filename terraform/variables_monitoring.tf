variable "runbook_url" {
  description = "Where docs/runbook.md is read; every alert links to a section of it."
  type        = string
  default     = "docs/runbook.md"

  validation {
    condition     = can(regex("^(https://[^ #]+|docs/runbook[.]md)$", var.runbook_url))
    error_message = "runbook_url must be the https:// address of the page, without #section; docs/runbook.md stands for the file in the repository."
  }
}

variable "alert_emails" {
  description = "Who is told of every alert."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@,:; ]+@[^@,:; ]+[.][^@,:; ]+$", address))]) && length(distinct(var.alert_emails)) == length(var.alert_emails)
    error_message = "alert_emails must be different e-mail addresses such as data-oncall@example.com, without user: or group: before them."
  }
}

variable "pagerduty_key" {
  description = "Integration key of a PagerDuty service, which is told of critical alerts. It lies in the tfvars file, in Terraform's state and in the saved plans; empty: none."
  type        = string
  default     = ""
  sensitive   = true

  validation {
    condition     = can(regex("^([0-9A-Za-z]{32})?$", var.pagerduty_key))
    error_message = "pagerduty_key must be the integration key of 32 letters and digits (PagerDuty: service, integrations, Events API v1 for Google Cloud), or empty."
  }
}

variable "billing_account" {
  description = "Billing account of the project, for the monthly budget. Empty: no budget is made; else the builds need rights on it (docs/deployment.md, step 5)."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6})?$", var.billing_account))
    error_message = "billing_account must be written 012345-6789AB-CDEF01 (`gcloud billing accounts list`), or be empty."
  }
}

variable "monthly_budget" {
  description = "What the project may cost in a month, in whole units of the billing account's currency."
  type        = number
  default     = 500

  validation {
    condition     = var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget must be a whole number of at least 1."
  }
}

variable "metrics_wait_seconds" {
  description = "Seconds between a new log-based metric and the alerts on it. 0: do not wait; for tests and plans without a project."
  type        = number
  default     = 600

  validation {
    condition     = var.metrics_wait_seconds >= 0 && var.metrics_wait_seconds <= 1800
    error_message = "metrics_wait_seconds must be 0 to 1800; Cloud Monitoring asks for up to 600."
  }
}
