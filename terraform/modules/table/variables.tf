variable "text" {
  description = "functions.yaml as it is written: a doubled name and the lines are seen in the text alone."
  type        = string
}

variable "folders" {
  description = "The functions that there are: folders with a main.py."
  type        = set(string)
}

variable "bundles" {
  description = "The functions that have a bundle."
  type        = set(string)
}

variable "roles" {
  description = "The roles that Terraform knows how to grant."
  type        = set(string)
}

variable "secrets" {
  description = "The settings that are secrets."
  type        = set(string)
}

variable "memories" {
  description = "The sizes of memory that have a number of CPUs."
  type        = set(string)
}
