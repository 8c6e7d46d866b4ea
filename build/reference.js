// Writes docs/reference/terraform from the provider's own definitions and its examples. `node build/reference.js`.
const { execFileSync } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const esbuild = require('esbuild');

const root = join(__dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'sy-reference-'));
try {
  const bundle = join(folder, 'reference.js');
  esbuild.buildSync({
    absWorkingDir: root,
    entryPoints: ['provider/bin/reference.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
  execFileSync(process.execPath, [bundle, join(root, 'provider/docs/examples'), join(root, 'docs/reference/terraform')], {
    stdio: 'inherit',
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
