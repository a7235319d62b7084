variable "operators" {
  description = "Who may give orders to the HTTP functions, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.operators : can(regex("^(user|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "operators must be written user:ann@example.com or serviceAccount:name@project.iam.gserviceaccount.com. A group cannot be one: the function reads the caller's own e-mail."
  }
}

variable "report_readers" {
  description = "Who else may read the reports, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.report_readers : can(regex("^(user|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "report_readers must be written user:ann@example.com or serviceAccount:name@project.iam.gserviceaccount.com. A group cannot be one: the function reads the caller's own e-mail."
  }
}

variable "uploaders" {
  description = "Who drops files into the landing bucket, as IAM members; they read and overwrite nothing."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.uploaders : can(regex("^(user|group|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "uploaders must be written user:…@…, group:…@… or serviceAccount:…@…; the landing bucket is open to nobody else."
  }
}

variable "producers" {
  description = "Who publishes to the topic `transactions`, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.producers : can(regex("^(user|group|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "producers must be written user:…@…, group:…@… or serviceAccount:…@…; the topic is open to nobody else."
  }
}

variable "max_instances" {
  description = "Function => most instances, where this environment wants another number than functions.yaml."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for count in values(var.max_instances) : count >= 1 && count <= 100 && floor(count) == count])
    error_message = "max_instances must give whole numbers of 1 to 100."
  }
}

variable "drained" {
  description = "Subscriptions and topics of Pub/Sub that a release may delete, by name: no message waits in them any more. A plan that deletes another is made no release of."
  type        = list(string)
  default     = []
}

variable "settings" {
  description = "Settings of the functions, by the names of .env.example; what is left out has the default written there."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), local.setting_names)) == 0
    error_message = "settings: unknown or not yours to set: ${join(", ", setsubtract(keys(var.settings), local.setting_names))}. Known are ${join(", ", local.setting_names)}."
  }
}

variable "secret_versions" {
  description = "Secret => number of the version that the functions use; a secret that is left out is not given to them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.secret_versions) : can(regex("^[1-9][0-9]*$", version))])
    error_message = "secret_versions must give numbers, such as {ALERT_WEBHOOK_URL = \"1\"}: with a number a new version comes with a deployment, and not in the middle of the day."
  }
}

locals {
  # Those of .env.example that an installation chooses; the rest follows from what Terraform makes.
  setting_names = toset([
    "BASE_CURRENCY", "PAYMENT_METHODS", "DATE_ORDER", "NUMBER_FORMAT", "CHUNK_ROWS", "CHUNK_BYTES", "MAX_LINE_BYTES",
    "MAX_EXPANDED_BYTES", "MAX_EXPANSION_RATIO", "CUT_SECONDS", "PRODUCT_API_URL", "PRODUCT_API_AUDIENCE",
    "PRODUCT_API_DATA", "PRODUCT_PAGE_SIZE", "EXTRACT_SECONDS", "QUALITY_FIELDS", "RECONCILE_GRACE_SECONDS",
    "MAX_BYTES_PER_DAY", "REPLAY_GUARD", "REDRIVE_GUARD", "REPORT_MAX_BYTES", "MAX_BYTES_BILLED", "DAILY_BUDGET_USD",
  ])
}
