variable "collector" {
  description = "The OpenTelemetry collector beside the function: image by digest, and the secret and version that hold its configuration; null runs none."
  type = object({
    image   = string
    secret  = string
    version = string
  })
  default = null
}

variable "concurrency" {
  description = "Messages that one instance works on at once."
  type        = number
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000
    error_message = "concurrency is from 1 to 1000."
  }
}

variable "cpu" {
  description = "Processors of one instance."
  type        = string
  default     = "1"
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the function."
  type        = bool
  default     = true
  nullable    = false
}

variable "environment" {
  description = "Settings that are no secrets, as environment variables; '__' separates a section from its setting."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "image" {
  description = "The function's image, by digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is named by its digest: NAME@sha256:… A tag can be moved after it was tested."
  }
}

variable "max_delivery_attempts" {
  description = "Deliveries of a message before it goes to the dead letters."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_delivery_attempts >= 5 && var.max_delivery_attempts <= 100
    error_message = "Pub/Sub takes from 5 to 100 delivery attempts."
  }
}

variable "max_instances" {
  description = "Most instances at once. Each holds a pool of database connections."
  type        = number
  nullable    = false
}

variable "memory" {
  description = "Memory of one instance."
  type        = string
  default     = "512Mi"
  nullable    = false
}

variable "min_instances" {
  description = "Instances that are kept although there is nothing to do; 0 costs nothing."
  type        = number
  default     = 0
  nullable    = false
}

variable "name" {
  description = "The step, in words with dashes; names the service, its account and its audience."
  type        = string
  nullable    = false

  validation {
    # "feedback-loop-" and this are the account's id, of which Google takes 30 characters.
    condition     = can(regex("^[a-z][a-z-]{1,14}[a-z]$", var.name))
    error_message = "name is 3 to 16 lower-case letters and dashes."
  }
}

variable "network" {
  description = "Network and subnetwork that the function reaches private addresses through."
  type = object({
    network    = string
    subnetwork = string
  })
  nullable = false
}

variable "project" {
  description = "The Google Cloud project: its id and number."
  type = object({
    id     = string
    number = string
  })
  nullable = false
}

variable "project_roles" {
  description = "Roles on the whole project, by a name of one's own for each, for what cannot be granted more narrowly."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "publishes_to" {
  description = "Topics that the step sends to, by name."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "receives" {
  description = "Names of the topics that the step handles. Each gets a push subscription and a topic of dead letters."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.receives) > 0
    error_message = "A step that receives nothing is no step."
  }
}

variable "region" {
  description = "Region of the function."
  type        = string
  nullable    = false
}

variable "secrets" {
  description = "Settings that are secrets, by environment variable: the secret's id and the version that is used."
  type = map(object({
    secret  = string
    version = string
  }))
  default  = {}
  nullable = false
}

variable "timeout_seconds" {
  description = "How long one message may take; the subscription waits as long for the answer."
  type        = number
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 10 && var.timeout_seconds <= 600
    error_message = "Pub/Sub waits for a push from 10 to 600 seconds."
  }
}
