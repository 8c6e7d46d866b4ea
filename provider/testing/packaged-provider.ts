import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { mirrorPath } from './mirror.ts';

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
