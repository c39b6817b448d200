resource "google_compute_global_address" "api" {
  name       = "${local.prefix}-api"
  depends_on = [google_project_service.used]
}

resource "google_compute_managed_ssl_certificate" "api" {
  # A certificate cannot be changed, only replaced, and the proxy holds the old one until it has the new one.
  name = "${local.prefix}-${substr(sha256(var.domain), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_region_network_endpoint_group" "api" {
  name                  = "${local.prefix}-api"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.admin_api.name
  }
}

resource "google_compute_backend_service" "api" {
  name                  = "${local.prefix}-api"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = google_compute_security_policy.api.id

  backend {
    group = google_compute_region_network_endpoint_group.api.id
  }

  log_config {
    enable      = true
    sample_rate = 1
  }

  # With Google's own client: the API that made clients of one's own has ended.
  dynamic "iap" {
    for_each = var.iap_members == null ? [] : [true]

    content {
      enabled = true
    }
  }
}

# IAP asks who somebody is before a request comes here at all; the API's own check of the product's token stays.
resource "google_iap_web_backend_service_iam_member" "api" {
  for_each = var.iap_members == null ? [] : var.iap_members

  web_backend_service = google_compute_backend_service.api.name
  role                = "roles/iap.httpsResourceAccessor"
  member              = each.value
}

resource "google_compute_security_policy" "api" {
  name = "${local.prefix}-api"

  rule {
    description = "Requests of one address, far above what a person's browser sends."
    action      = "throttle"
    priority    = 1000

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    description = "Everybody else."
    action      = "allow"
    priority    = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_compute_ssl_policy" "api" {
  name            = "${local.prefix}-api"
  min_tls_version = "TLS_1_2"
  profile         = "RESTRICTED"
  depends_on      = [google_project_service.used]
}

resource "google_compute_url_map" "api" {
  name            = "${local.prefix}-api"
  default_service = google_compute_backend_service.api.id
}

resource "google_compute_target_https_proxy" "api" {
  name             = "${local.prefix}-api"
  url_map          = google_compute_url_map.api.id
  ssl_certificates = [google_compute_managed_ssl_certificate.api.id]
  ssl_policy       = google_compute_ssl_policy.api.id
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "${local.prefix}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.api.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.api.id
}

resource "google_compute_url_map" "redirect" {
  name = "${local.prefix}-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }

  depends_on = [google_project_service.used]
}

resource "google_compute_target_http_proxy" "redirect" {
  name    = "${local.prefix}-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "http" {
  name                  = "${local.prefix}-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.api.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.redirect.id
}
