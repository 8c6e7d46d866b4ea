data "symbolon_bundle" "east" {
  trust_domain = "east.example"
}

output "east_ca" {
  value = data.symbolon_bundle.east.pem
}
