terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8.0"
    }
  }

  # Bucket and prefix are given to `terraform init -backend-config`, so that one tree serves every installation.
  backend "gcs" {}
}

provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = { app = "feedback-loop", env = var.environment }

  # A budget is billed by nobody's project; the API wants to know whose quota the call counts against.
  billing_project       = var.project_id
  user_project_override = true
}

data "google_project" "this" {
  project_id = var.project_id
}
