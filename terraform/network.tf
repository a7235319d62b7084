# The functions' way out. All of it goes through this network, so the firewall says where a function may talk to:
# Google's APIs and the database; over HTTPS to anywhere only those whose row says `outside: true`.
variable "functions_range" {
  description = "Addresses of the functions' subnet. Cloud Run takes 16 at a time for each function, twice during a deployment."
  type        = string
  default     = "10.8.0.0/22"

  validation {
    condition     = can(cidrnetmask(var.functions_range)) && try(tonumber(split("/", var.functions_range)[1]) <= 22, false)
    error_message = "functions_range must be a range of at least 1024 addresses, such as 10.8.0.0/22."
  }
}

variable "outside_range" {
  description = "Addresses of the subnet of those that call hosts which are not Google's."
  type        = string
  default     = "10.8.4.0/24"

  validation {
    condition     = can(cidrnetmask(var.outside_range)) && try(tonumber(split("/", var.outside_range)[1]) <= 26, false)
    error_message = "outside_range must be a range of at least 64 addresses, such as 10.8.4.0/24."
  }
}

variable "database_range" {
  description = "Addresses that Google takes for the database, in the peered network."
  type        = string
  default     = "10.9.0.0/20"

  validation {
    condition     = can(cidrnetmask(var.database_range)) && try(tonumber(split("/", var.database_range)[1]) <= 24, false)
    error_message = "database_range must be a range of at least 256 addresses, such as 10.9.0.0/20."
  }
}

locals {
  # private.googleapis.com: https://cloud.google.com/vpc/docs/configure-private-google-access#config-options
  google_apis = "199.36.153.8/30"
}

resource "google_compute_network" "main" {
  name                    = "sluice"
  auto_create_subnetworks = false

  depends_on = [terraform_data.agents_exist]
}

# Flow logs tell addresses and bytes, but not which function it was, and firewall rules of Cloud Run write no log:
# https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations
resource "google_compute_subnetwork" "functions" {
  name                     = "sluice-functions"
  region                   = var.region
  network                  = google_compute_network.main.id
  ip_cidr_range            = var.functions_range
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Of its own, as only this one has a NAT: the others have no way to the internet at all, and do not wait for a NAT when an
# instance starts, which takes up to half a minute by the same page.
resource "google_compute_subnetwork" "outside" {
  name                     = "sluice-outside"
  region                   = var.region
  network                  = google_compute_network.main.id
  ip_cidr_range            = var.outside_range
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.5
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_global_address" "database" {
  name          = "sluice-database"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = split("/", var.database_range)[0]
  prefix_length = tonumber(split("/", var.database_range)[1])
  network       = google_compute_network.main.id
}

resource "google_service_networking_connection" "database" {
  network                 = google_compute_network.main.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.database.name]
  deletion_policy         = "ABANDON" # Google frees it days after the instance is gone; a teardown removes the peering by hand

  depends_on = [terraform_data.agents]
}

resource "google_compute_firewall" "deny_out" {
  name               = "sluice-deny-out"
  network            = google_compute_network.main.id
  description        = "What no other rule allows does not leave."
  direction          = "EGRESS"
  priority           = 65534
  destination_ranges = ["0.0.0.0/0"]

  deny {
    protocol = "all"
  }
}

resource "google_compute_firewall" "allow_google" {
  name               = "sluice-allow-google"
  network            = google_compute_network.main.id
  description        = "Google's APIs by their private addresses."
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [local.google_apis]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

resource "google_compute_firewall" "allow_database" {
  name               = "sluice-allow-database"
  network            = google_compute_network.main.id
  description        = "Cloud SQL: the connector talks TLS to port 3307."
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = [var.database_range]
  target_tags        = [for name, row in local.functions : local.slug[name] if contains(row.roles, "database_client")]

  allow {
    protocol = "tcp"
    ports    = ["3307"]
  }
}

resource "google_compute_firewall" "allow_outside" {
  name               = "sluice-allow-outside"
  network            = google_compute_network.main.id
  description        = "The product API and the webhook; a firewall without a paid tier knows no host names."
  direction          = "EGRESS"
  priority           = 1000
  destination_ranges = ["0.0.0.0/0"]
  target_tags        = ["outside"]

  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
}

# So that the clients find the private addresses without knowing of them.
resource "google_dns_managed_zone" "google_apis" {
  name        = "sluice-googleapis"
  dns_name    = "googleapis.com."
  description = "Google's APIs by their private addresses."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.main.id
    }
  }
}

resource "google_dns_record_set" "google_apis" {
  for_each = {
    "private.googleapis.com." = { type = "A", rrdatas = [for host in range(4) : cidrhost(local.google_apis, host)] }
    "*.googleapis.com."       = { type = "CNAME", rrdatas = ["private.googleapis.com."] }
  }

  managed_zone = google_dns_managed_zone.google_apis.name
  name         = each.key
  type         = each.value.type
  ttl          = 300
  rrdatas      = each.value.rrdatas
}

resource "google_compute_router" "main" {
  name    = "sluice"
  region  = var.region
  network = google_compute_network.main.id
}

resource "google_compute_router_nat" "main" {
  name                               = "sluice"
  region                             = var.region
  router                             = google_compute_router.main.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.outside.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
