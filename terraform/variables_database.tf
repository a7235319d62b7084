locals {
  database_instance = "sluice"
  database          = "sluice"
}

variable "database_max_connections" {
  description = "max_connections of Postgres. table.tf holds the functions' instances against it."
  type        = number
  default     = 100

  validation {
    condition     = var.database_max_connections >= 25 && var.database_max_connections <= 1000 && floor(var.database_max_connections) == var.database_max_connections
    error_message = "database_max_connections must be a whole number of 25 to 1000; every connection costs the instance about 10 MB."
  }
}
