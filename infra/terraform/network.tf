locals {
  makes_network = var.network == null

  network = local.makes_network ? {
    network    = google_compute_network.this["this"].id
    subnetwork = google_compute_subnetwork.functions["this"].id
  } : var.network
}

resource "google_compute_network" "this" {
  for_each = local.makes_network ? toset(["this"]) : []

  name                    = local.prefix
  auto_create_subnetworks = false
  depends_on              = [google_project_service.used]
}

# Each instance takes two to four addresses of it, and gives them back late: far more than the instances that may run.
resource "google_compute_subnetwork" "functions" {
  for_each = local.makes_network ? toset(["this"]) : []

  name                     = "${local.prefix}-functions"
  network                  = google_compute_network.this["this"].id
  region                   = var.region
  ip_cidr_range            = var.subnetwork_range
  private_ip_google_access = true
}

# The database's private address is in Google's network, which is joined to this one.
resource "google_compute_global_address" "services" {
  for_each = local.makes_network ? toset(["this"]) : []

  name          = "${local.prefix}-services"
  network       = google_compute_network.this["this"].id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  for_each = local.makes_network ? toset(["this"]) : []

  network                 = google_compute_network.this["this"].id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services["this"].name]
  deletion_policy         = "ABANDON"
}
