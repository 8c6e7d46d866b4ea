import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { VERSION } from '#daemon/version';

/** Where a filesystem mirror has a provider: Terraform's own layout. */
export function mirrorPath(mirror: string, version = VERSION): string {
  return join(mirror, 'registry.terraform.io/symbolon/symbolon', version, 'linux_amd64', `terraform-provider-symbolon_v${version}`);
}

/** The CLI configuration by which Terraform finds its providers in a mirror and nowhere else. */
export function mirrorConfig(mirror: string): string {
  return `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n  direct {\n    exclude = ["registry.terraform.io/*/*"]\n  }\n}\n`;
}

/** Bundles today's source as one executable file, and puts it into a mirror below `folder`. Returns the mirror's path. */
export function packageProvider(folder: string): string {
  const mirror = join(folder, 'mirror');
  const executable = mirrorPath(mirror);
  const bundle = join(folder, 'provider.js');
  buildSync({
    entryPoints: [join(__dirname, '../bin/provider.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  mkdirSync(join(executable, '..'), { recursive: true });
  copyFileSync(bundle, executable);
  chmodSync(executable, 0o755);
  return mirror;
}
