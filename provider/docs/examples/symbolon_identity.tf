resource "symbolon_node" "east_2" {
  trust_domain     = "east.example"
  name             = "east-2"
  address_prefixes = ["10.2.0.0/16"]
}

resource "symbolon_identity" "payments" {
  spiffe_id = "spiffe://east.example/payments"
  parent_id = symbolon_node.east_2.spiffe_id
  selectors = ["unix:uid:1002"]
}
