terraform {
  required_providers {
    symbolon = { source = "symbolon/symbolon" }
  }
}

provider "symbolon" {
  authorities = {
    "east.example" = { unix_socket = "/var/lib/symbolon-authority/admin.sock" }
  }
  owner                = "platform"
  wait_for_enforcement = { timeout = "10s" }
}
