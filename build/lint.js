// Format check, lint, import rule with its self-test, exports that nothing needs, type check. `node build/lint.js`. Each step says what it found; exit 1 if any failed.
const { execFileSync, spawnSync } = require('node:child_process');
const { rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { FOLDERS } = require('./rooms.js');

const root = join(__dirname, '..');
const tool = (name) => join(root, 'node_modules/.bin', name);

function run(title, command, args) {
  const start = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${title} (${Date.now() - start} ms)`);
  return status === 0;
}

const cruise = (paths, stdio) =>
  execFileSync(tool('depcruise'), ['--config', 'build/import-rule.js', '--output-type', 'err', ...paths], { cwd: root, stdio });

/** Plants a forbidden import and sees that the rule finds it: a rule that cannot fail proves nothing. */
function selfTest() {
  const planted = join(root, 'core/errors/planted-violation.ts');
  writeFileSync(planted, "import { parseSpiffeId } from '#core/spiffe/id';\nexport const planted = parseSpiffeId;\n");
  try {
    cruise(['core/errors'], 'pipe');
    console.log('FAIL import rule self-test: a forbidden import from core/errors to core/spiffe was not found');
    return false;
  } catch (error) {
    const found = String(error.stdout).includes('planted-violation');
    console.log(`${found ? 'ok  ' : 'FAIL'} import rule self-test`);
    if (!found) console.log(String(error.stdout) + String(error.stderr));
    return found;
  } finally {
    rmSync(planted, { force: true });
  }
}

const results = [
  run('format', tool('biome'), ['format', '.']),
  run('lint', tool('oxlint'), ['--type-aware', ...FOLDERS]),
  run('import rule', tool('depcruise'), ['--config', 'build/import-rule.js', '--output-type', 'err', ...FOLDERS]),
  selfTest(),
  run('exports', process.execPath, ['build/exports.js']),
  run('type check', tool('tsc'), ['-p', '.']),
];
process.exit(results.every(Boolean) ? 0 : 1);
