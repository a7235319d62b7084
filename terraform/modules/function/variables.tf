variable "name" {
  description = "The function's name in functions.yaml."
  type        = string
}

variable "slug" {
  description = "The same with hyphens, as Google's names demand."
  type        = string
}

variable "row" {
  description = "The function's row in functions.yaml."
  type = object({
    entry_point     = string
    memory          = string
    timeout_seconds = number
    concurrency     = number
  })
}

variable "max_instances" {
  description = "How many instances may run at once."
  type        = number
}

variable "public" {
  description = "Whether callers from outside reach it (with an identity that may)."
  type        = bool
}

variable "cpu" {
  description = "Number of CPUs; at least 1 where several requests run at once."
  type        = string
}

variable "project" {
  type        = string
  description = "Id of the project."
}

variable "region" {
  type        = string
  description = "Region of the function."
}

variable "service_account" {
  type        = string
  description = "E-mail of the account that the function runs as."
}

variable "builder" {
  type        = string
  description = "Name (projects/…/serviceAccounts/…) of the account that builds the image."
}

variable "repository" {
  type        = string
  description = "Id of the Artifact Registry repository of the images."
}

variable "kms_key" {
  type        = string
  description = "Id of the key for bundle, image and instances."
}

variable "source_bucket" {
  type        = string
  description = "Bucket of the bundles."
}

variable "package_dir" {
  type        = string
  description = "Folder of the bundles."
}

variable "bundle" {
  type        = object({ file = string })
  description = "The function's entry in manifest.json."
}

variable "network" {
  type        = string
  description = "Id of the VPC network."
}

variable "subnetwork" {
  type        = string
  description = "Id of the subnet."
}

variable "tags" {
  type        = list(string)
  description = "Network tags, by which the firewall lets it out."
}

variable "environment_variables" {
  type        = map(string)
  description = "Settings, as shared/settings.py reads them."
}

variable "secrets" {
  type        = map(object({ secret = string, version = string }))
  description = "Variable => secret and the number of its version."
}
