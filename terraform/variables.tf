variable "project" {
  description = "Id of the Google Cloud project; one project holds one environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project id (6 to 30 lower case letters, digits and hyphens), not a name or a number: see `gcloud projects list`."
  }
}

variable "environment" {
  description = "Which of the environments this is; it decides sizes, protections and which functions are deployed."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment must be dev, staging or prod: give -var-file=env/<environment>.tfvars."
  }
}

variable "region" {
  description = "Region of functions, buckets, database, topics and keys."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be a region such as europe-west1, not a zone: see `gcloud functions regions list`."
  }
}

variable "bigquery_location" {
  description = "Where the datasets are. A multi-region takes its encryption key from the multi-region of Cloud KMS that belongs to it."
  type        = string
  default     = "EU"

  validation {
    condition     = contains(["EU", "US"], var.bigquery_location) || can(regex("^[a-z]+-[a-z]+[0-9]+$", var.bigquery_location))
    error_message = "bigquery_location must be EU, US or a region such as europe-west1."
  }
  # BigQuery loads only from buckets in the dataset's own region or inside of its multi-region, but into the US from anywhere
  # (https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#limitations); here no data leaves its continent.
  # The EU is without London and Zurich: https://cloud.google.com/storage/docs/locations
  validation {
    condition = (
      var.bigquery_location == "EU" ? startswith(var.region, "europe-") && !contains(["europe-west2", "europe-west6"], var.region) :
      var.bigquery_location == "US" ? startswith(var.region, "us-") :
      var.bigquery_location == var.region
    )
    error_message = "bigquery_location ${var.bigquery_location} cannot load from buckets in the region ${var.region}: set bigquery_location to ${var.region}, or to the multi-region that the region is part of, EU (not London, europe-west2, nor Zurich, europe-west6) or US. It cannot be changed once there are datasets."
  }
}

variable "package_dir" {
  description = "Folder of the bundles and their manifest.json, which `make package` writes."
  type        = string
  default     = "../build/package"

  validation {
    condition     = fileexists("${var.package_dir}/manifest.json")
    error_message = "package_dir has no manifest.json: run `make package` first."
  }
}
