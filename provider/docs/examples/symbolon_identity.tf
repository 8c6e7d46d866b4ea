# By reference, not by their names: Terraform then declares the trust domain before the node, and the node before its workload.
resource "symbolon_node" "east_2" {
  trust_domain     = symbolon_trust_domain.east.name
  name             = "east-2"
  address_prefixes = ["10.2.0.0/16"]
}

resource "symbolon_identity" "payments" {
  spiffe_id = "${symbolon_trust_domain.east.spiffe_id}/payments"
  parent_id = symbolon_node.east_2.spiffe_id
  selectors = ["unix:uid:1002"]
}
