variable "access" {
  description = "Whose tokens the admin API takes: the OpenID Connect issuer, what aud must be, and the browser UI's client id."
  type = object({
    authority = string
    audience  = string
    client_id = string
  })
  nullable = false

  validation {
    condition     = startswith(var.access.authority, "https://")
    error_message = "access.authority is the issuer's https address, exactly as its tokens carry it in iss."
  }
}

variable "admin_api_min_instances" {
  description = "Instances of the admin API that are kept warm; 0 costs nothing and lets the first request after a pause wait."
  type        = number
  default     = 0
  nullable    = false
}

variable "alert_emails" {
  description = "Who is written to when something needs a person."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.alert_emails) > 0 && alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alert_emails holds at least one e-mail address."
  }
}

variable "base_model" {
  description = "Base model of new configurations, by its id in functions/appsettings.json. Its retirement is watched."
  type        = string
  default     = "gemini-3.1-flash-lite"
  nullable    = false

  validation {
    condition = contains(
      [for model in jsondecode(file("${path.module}/../../functions/appsettings.json")).BaseModels.Models : model.Id if model.Tunable],
      var.base_model,
    )
    error_message = "base_model is none of the tunable models of functions/appsettings.json."
  }
}

variable "bucket" {
  description = "Name of the datasets' bucket; null makes one of the project's id."
  type        = string
  default     = null

  validation {
    condition     = var.bucket == null || can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name is 3 to 63 lower-case letters, digits, dots, dashes and underscores."
  }
}

variable "budget" {
  description = "Monthly budget of the project, as the billing account counts it; mails at 50, 90 and 100 percent and when the forecast passes it. null makes none."
  type = object({
    billing_account = string
    currency        = optional(string, "USD")
    all_services    = number
    vertex_ai       = number
  })
  default = null

  validation {
    condition     = try(var.budget.vertex_ai <= var.budget.all_services, true)
    error_message = "budget.vertex_ai is a part of budget.all_services."
  }
}

variable "build" {
  description = "Cloud Build's triggers: connected repository (projects/P/locations/L/connections/C/repositories/R), what is built of it, the account that builds, and the bucket of the state. null makes none."
  type = object({
    repository      = string
    repository_type = optional(string, "GITHUB")
    branch          = optional(string, "^main$")
    ref             = optional(string, "refs/heads/main")
    account         = string
    state_bucket    = string
  })
  default = null
}

variable "collector_image" {
  description = "Image of an OpenTelemetry collector with the exporters googlecloud and googlemanagedprometheus, by digest; null sends no traces and no metrics of our own."
  type        = string
  default     = null

  validation {
    condition     = var.collector_image == null || can(regex("@sha256:[0-9a-f]{64}$", var.collector_image))
    error_message = "collector_image is named by its digest: NAME@sha256:…"
  }
}

variable "database" {
  description = "The Cloud SQL instance that is made when there is no existing_database."
  type = object({
    tier                = optional(string, "db-custom-1-3840")
    is_highly_available = optional(bool, false)
    disk_gb             = optional(number, 20)
    disk_limit_gb       = optional(number, 500)
    max_connections     = optional(number, 200)
    retained_backups    = optional(number, 14)
    backup_location     = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.database.disk_gb >= 10 && var.database.disk_limit_gb >= var.database.disk_gb
    error_message = "database.disk_gb is at least 10, and database.disk_limit_gb at least as much."
  }

  validation {
    condition     = var.database.retained_backups >= 7
    error_message = "database.retained_backups is at least 7: point-in-time recovery starts from a backup."
  }
}

variable "database_passwords" {
  description = "Passwords of the three logins; in no file, no plan and no state: give them as TF_VAR_database_passwords, from Secret Manager."
  type = object({
    api    = string
    owner  = string
    worker = string
  })
  nullable  = false
  sensitive = true
  ephemeral = true

  validation {
    condition     = alltrue([for password in values(var.database_passwords) : can(regex("^[A-Za-z0-9_-]{24,}$", password))])
    error_message = "A password is at least 24 letters, digits, dashes and underscores, so that it needs no quoting anywhere."
  }
}

variable "database_passwords_version" {
  description = "Raised by one when passwords have changed, so that the change is seen."
  type        = number
  default     = 1
  nullable    = false
}

variable "dataset_retention" {
  description = "Days after which datasets are deleted; days for which a replaced version is kept; days for which anything deleted can be restored."
  type = object({
    days            = optional(number, 365)
    noncurrent_days = optional(number, 30)
    restorable_days = optional(number, 7)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.dataset_retention.days >= 30
    error_message = "dataset_retention.days is at least 30: a run may wait for weeks, and models are compared on what was held out of them."
  }

  validation {
    condition     = var.dataset_retention.restorable_days == 0 || (var.dataset_retention.restorable_days >= 7 && var.dataset_retention.restorable_days <= 90)
    error_message = "dataset_retention.restorable_days is 0 or from 7 to 90."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete functions, database and secrets."
  type        = bool
  default     = true
  nullable    = false
}

variable "domain" {
  description = "Host name of the admin API. Its A record points to the output api_address, or the certificate is never made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain is a host name, such as training.example.com."
  }
}

variable "environment" {
  description = "Name of the installation, on resources and on tuning jobs: it must be the only one of its name in the project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{0,62}$", var.environment))
    error_message = "environment is at most 63 lower-case letters, digits, dashes and underscores."
  }
}

variable "existing_database" {
  description = "A PostgreSQL that is there already, with the product's tables: its private address and database. null makes an instance."
  type = object({
    host = string
    name = string
  })
  default = null

  validation {
    condition     = var.existing_database == null || var.network != null
    error_message = "With existing_database, network says from where its address can be reached."
  }
}

variable "extraction_publishers" {
  description = "Accounts of the product that may ask for extractions, such as serviceAccount:product@example.iam.gserviceaccount.com."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.extraction_publishers : can(regex("^(serviceAccount|group|principal|principalSet):", member))])
    error_message = "Each of extraction_publishers says what it is: serviceAccount:…, group:…, principal:… or principalSet:…"
  }
}

variable "extraction_spend_per_month" {
  description = "US dollars of one organization's extractions in a calendar month, by the functions' own prices, above which somebody is told."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.extraction_spend_per_month >= 0.01 && var.extraction_spend_per_month <= 1000000
    error_message = "extraction_spend_per_month is 0.01 to 1000000 USD."
  }
}

variable "has_tuning_agent" {
  description = "Whether Google's own account for tuning jobs, gcp-sa-vertex-tune, exists in the project; it does from the first tuning job on."
  type        = bool
  default     = true
  nullable    = false
}

variable "iap_members" {
  description = "Who gets past Identity-Aware Proxy to the admin API, such as group:training@example.com; null leaves it off, and the product's own tokens decide alone."
  type        = set(string)
  default     = null

  validation {
    condition     = var.iap_members == null || alltrue([for member in coalesce(var.iap_members, []) : can(regex("^(user|group|domain|serviceAccount):", member))])
    error_message = "Each of iap_members says what it is: user:…, group:…, domain:… or serviceAccount:…"
  }
}

variable "images" {
  description = "Image of each function and of the command line, by digest."
  type = object({
    admin_api     = string
    cli           = string
    export        = string
    extract       = string
    poll_tuning   = string
    schedule_tick = string
    train         = string
  })
  nullable = false

  validation {
    condition     = alltrue([for image in values(var.images) : can(regex("@sha256:[0-9a-f]{64}$", image))])
    error_message = "Images are named by digest: NAME@sha256:… A tag can be moved after it was tested."
  }
}

variable "kms_key" {
  description = "Key that encrypts bucket, database, images and connection strings, in the same region (projects/P/locations/L/keyRings/R/cryptoKeys/K); null leaves it to Google."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key is projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "logins" {
  description = "Names of the database's logins: of the admin API, of the owner of the tables, of the other functions."
  type = object({
    api    = optional(string, "feedback_loop_api")
    owner  = optional(string, "feedback_loop_owner")
    worker = optional(string, "feedback_loop_worker")
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(toset(values(var.logins))) == 3
    error_message = "logins are three: the API reads and starts, the functions write what they find, and neither owns a table."
  }
}

variable "max_instances" {
  description = "Most instances of each function. Together with the connections that each holds they must fit the database."
  type = object({
    admin_api     = optional(number, 2)
    export        = optional(number, 2)
    extract       = optional(number, 4)
    poll_tuning   = optional(number, 2)
    schedule_tick = optional(number, 1)
    train         = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for count in values(var.max_instances) : count >= 1 && count <= 100])
    error_message = "max_instances are from 1 to 100."
  }
}

variable "network" {
  description = "Network and subnetwork that are there already, by id; null makes them."
  type = object({
    network    = string
    subnetwork = string
  })
  default = null
}

variable "project_id" {
  description = "Google Cloud project. One installation each: the names of the topics are fixed."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is a project's id, 6 to 30 lower-case letters, digits and dashes."
  }
}

variable "region" {
  description = "Region of functions, database, bucket and images."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.region))
    error_message = "region is a region, such as europe-west4."
  }
}

variable "requests_per_minute" {
  description = "Requests of one address to the admin API in a minute, before it is told to wait."
  type        = number
  default     = 600
  nullable    = false
}

variable "settings" {
  description = "Further settings of all functions, as environment variables, such as { Export__MinProjectExamples = \"80\" }."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.settings) : !can(regex("(?i)password|secret|connectionstring", name))])
    error_message = "settings are readable by whoever sees the service; secrets have their place in Secret Manager."
  }
}

variable "subnetwork_range" {
  description = "Addresses of the functions' subnetwork, when it is made here; at least /26."
  type        = string
  default     = "10.80.0.0/24"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.subnetwork_range, 0)) && try(tonumber(split("/", var.subnetwork_range)[1]) <= 26, false)
    error_message = "subnetwork_range is a range of addresses, /26 or larger."
  }
}

variable "tuning_spend_per_day" {
  description = "US dollars of tuning in 24 hours, by the functions' own estimate, above which somebody is told."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.tuning_spend_per_day >= 0.01 && var.tuning_spend_per_day <= 1000000
    error_message = "tuning_spend_per_day is 0.01 to 1000000 USD."
  }
}

variable "vertex_location" {
  description = "Region of tuning jobs; not all regions tune all models: functions/appsettings.json."
  type        = string
  nullable    = false

  validation {
    condition = anytrue([
      for model in jsondecode(file("${path.module}/../../functions/appsettings.json")).BaseModels.Models :
      contains(keys(model.ServingLocations), var.vertex_location) if model.Id == var.base_model
    ])
    error_message = "vertex_location is none of the regions in which functions/appsettings.json knows base_model to be tuned."
  }
}
