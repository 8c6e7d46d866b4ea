# By reference, not by its name: Terraform then declares the trust domain's settings, whose prefixes limit the node's, before the node.
resource "symbolon_node" "east_1" {
  trust_domain     = symbolon_trust_domain.east.name
  name             = "east-1"
  address_prefixes = ["10.1.0.0/16", "2001:db8:1::/48"]
  endpoint         = "192.0.2.1:7420"
}
