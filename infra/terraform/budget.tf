locals {
  budgets = var.budget == null ? {} : {
    all = { title = "Feedback loop", amount = var.budget.all_services, services = [] }

    # Vertex AI's number in the catalogue of what Google bills.
    vertex = { title = "Feedback loop: Vertex AI", amount = var.budget.vertex_ai, services = ["services/C7E2-9256-1C43"] }
  }
}

resource "google_billing_budget" "month" {
  for_each = local.budgets

  billing_account = var.budget.billing_account
  display_name    = "${each.value.title}, ${var.environment}"

  budget_filter {
    projects        = ["projects/${local.project.number}"]
    services        = each.value.services
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(each.value.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]

    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = local.channels
    disable_default_iam_recipients   = false
  }

  depends_on = [google_project_service.used]
}
