import { join } from 'node:path';
import { VERSION } from '#daemon/version';

/** Where a filesystem mirror has a provider: Terraform's own layout. */
export function mirrorPath(mirror: string, version = VERSION): string {
  return join(mirror, 'registry.terraform.io/symbolon/symbolon', version, 'linux_amd64', `terraform-provider-symbolon_v${version}`);
}

/** The CLI configuration by which Terraform finds its providers in a mirror and nowhere else. */
export function mirrorConfig(mirror: string): string {
  return `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n  direct {\n    exclude = ["registry.terraform.io/*/*"]\n  }\n}\n`;
}
