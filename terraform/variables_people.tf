# People, by what they do. docs/security.md says what each of them may see in BigQuery and in Postgres.
variable "analysts" {
  description = "Who reads the marts, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.analysts : can(regex("^(user|group|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "analysts must be written user:…@…, group:…@… or serviceAccount:…@…; whole domains, allUsers and allAuthenticatedUsers are no people."
  }
}

variable "auditors" {
  description = "Who reads the books, the audit and the jobs, and changes nothing, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.auditors : can(regex("^(user|group|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "auditors must be written user:…@…, group:…@… or serviceAccount:…@…; whole domains, allUsers and allAuthenticatedUsers are no people."
  }
}

variable "privacy_officers" {
  description = "Who reads what names a person, to answer what is held of them and to see an erasure through, as IAM members."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.privacy_officers : can(regex("^(user|group|serviceAccount):[^@,: ]+@[^@,: ]+$", member))])
    error_message = "privacy_officers must be written user:…@…, group:…@… or serviceAccount:…@…; whole domains, allUsers and allAuthenticatedUsers are no people."
  }
}

locals {
  # Operators are named in variables_functions.tf: the functions themselves ask who they are.
  people = {
    analyst         = var.analysts
    auditor         = var.auditors
    operator        = var.operators
    privacy_officer = var.privacy_officers
  }
}
