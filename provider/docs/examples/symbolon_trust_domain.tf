resource "symbolon_trust_domain" "east" {
  name             = "east.example"
  x509_svid_ttl    = "30m"
  enforcement      = "all"
  address_prefixes = ["10.0.0.0/8", "2001:db8::/32"]
}
