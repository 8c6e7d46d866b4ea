resource "symbolon_auth_policy" "web_to_payments" {
  trust_domain = "east.example"
  name         = "web-to-payments"
  sources      = { spiffe_ids = ["spiffe://east.example/web"] }
  destinations = { spiffe_ids = ["spiffe://east.example/payments"] }
  traffic      = ["tcp/8443", "udp/5353", "icmp"]
}

resource "symbolon_auth_policy" "batch_stays_out" {
  trust_domain = "east.example"
  name         = "batch-stays-out"
  action       = "deny"
  sources      = { path_prefixes = ["spiffe://east.example/batch"] }
  destinations = { trust_domains = ["east.example"] }
  traffic      = ["any"]
}
