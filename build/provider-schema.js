// The provider's schema, as `terraform providers schema -json` tells it. The generator of bindings reads it.
const { execFileSync } = require('node:child_process');
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '..');
const mirror = join(root, 'dist/mirror');

/** Packages the provider as its source is now, and asks Terraform in a folder of its own, with that package as the only one there is. */
function providerSchema() {
  execFileSync(process.execPath, [join(root, 'build/build.js'), 'provider'], { stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'sy-schema-'));
  try {
    writeFileSync(
      join(folder, 'cli.tfrc'),
      `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\ndisable_checkpoint = true\n`,
    );
    writeFileSync(
      join(folder, 'main.tf'),
      'terraform {\n  required_providers {\n    symbolon = { source = "symbolon/symbolon" }\n  }\n}\n',
    );
    const { TF_REATTACH_PROVIDERS: _, ...environment } = process.env;
    const run = (...args) =>
      execFileSync('terraform', args, {
        cwd: folder,
        env: { ...environment, TF_CLI_CONFIG_FILE: join(folder, 'cli.tfrc'), CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
        maxBuffer: 64 * 1024 * 1024,
      });
    run('init', '-no-color');
    return JSON.parse(run('providers', 'schema', '-json').toString());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { providerSchema };
