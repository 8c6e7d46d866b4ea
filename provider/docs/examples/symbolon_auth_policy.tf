# By reference, not by its name: Terraform then declares the trust domain's settings before policies that live in it.
resource "symbolon_auth_policy" "web_to_payments" {
  trust_domain = symbolon_trust_domain.east.name
  name         = "web-to-payments"
  sources      = { spiffe_ids = ["spiffe://east.example/web"] }
  destinations = { spiffe_ids = [symbolon_identity.payments.spiffe_id] }
  traffic      = ["tcp/8443", "udp/5353", "icmp"]
}

# Several alike: keyed by name, so that adding or removing one changes no other.
resource "symbolon_auth_policy" "stays_out" {
  for_each     = toset(["batch", "reports"])
  trust_domain = symbolon_trust_domain.east.name
  name         = "${each.key}-stays-out"
  action       = "deny"
  sources      = { path_prefixes = ["spiffe://east.example/${each.key}"] }
  destinations = { trust_domains = [symbolon_trust_domain.east.name] }
  traffic      = ["any"]
}
