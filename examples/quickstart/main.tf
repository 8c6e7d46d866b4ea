# The quickstart in HCL: the same as main.ts. Facts about the machines come from `symbolon lab status --json`.

terraform {
  required_version = ">= 1.11"
  required_providers {
    symbolon = {
      source  = "symbolon/symbolon"
      version = "~> 0.1.0"
    }
  }
}

variable "lab" {
  description = "File that holds what `symbolon lab status --json` prints."
  type        = string
}

variable "without" {
  description = "Name of a policy to leave out, like reports-to-payments: apply again, and its connections are cut."
  type        = string
  default     = ""

  validation {
    condition     = contains(["", "web-to-payments", "cache-to-payments", "reports-to-payments"], var.without)
    error_message = "There is no such policy; there are web-to-payments, cache-to-payments and reports-to-payments."
  }
}

locals {
  lab       = jsondecode(file(var.lab))
  nodes     = { for node in local.lab.nodes : node.name => node }
  workloads = { for workload in local.lab.workloads : workload.name => workload }

  # Workloads with an identity. The lab runs others, too, which stay without.
  declared = toset(["web", "batch", "payments", "cache", "reports"])

  policies = {
    "web-to-payments"     = { source = "web", traffic = ["tcp/8443", "udp/5353", "icmp"] }
    "cache-to-payments"   = { source = "cache", traffic = ["tcp/8443"] }
    "reports-to-payments" = { source = "reports", traffic = ["tcp/8443"] }
  }
}

provider "symbolon" {
  owner       = "quickstart"
  authorities = { "east.example" = { unix_socket = local.lab.authority.adminSocket } }

  # An apply is over when the agents enforce it, not when the authority has heard of it.
  wait_for_enforcement = { timeout = "10s" }
}

resource "symbolon_trust_domain" "east" {
  name = "east.example"
}

resource "symbolon_node" "east" {
  for_each         = toset(["east-1", "east-2", "east-3"])
  trust_domain     = symbolon_trust_domain.east.name
  name             = each.key
  address_prefixes = local.nodes[each.key].prefixes
  endpoint         = local.nodes[each.key].agent.endpoint
}

resource "symbolon_identity" "workload" {
  for_each  = local.declared
  spiffe_id = "${symbolon_trust_domain.east.spiffe_id}/${each.key}"
  parent_id = symbolon_node.east[local.workloads[each.key].node].spiffe_id
  selectors = ["unix:uid:${local.workloads[each.key].uid}"]
  addresses = local.workloads[each.key].addresses
}

# Nothing else passes: a workload with an identity is reached by proven workloads that a policy names, and by nobody else.
resource "symbolon_auth_policy" "to_payments" {
  for_each     = { for name, policy in local.policies : name => policy if name != var.without }
  trust_domain = symbolon_trust_domain.east.name
  name         = each.key
  sources      = { spiffe_ids = [symbolon_identity.workload[each.value.source].spiffe_id] }
  destinations = { spiffe_ids = [symbolon_identity.workload["payments"].spiffe_id] }
  traffic      = each.value.traffic
}
