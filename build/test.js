// Everything that `npm test` checks: generated files, format, lint, import rule, types, unit tests, end-to-end tests.
// Each check counts as one test; the last line is `N passed, N failed`. A test that is skipped has not passed: it counts as failed.
const { spawnSync } = require('node:child_process');
const { existsSync, mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '..');
const counts = { passed: 0, failed: 0 };

function check(title, args) {
  const start = Date.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  counts[status === 0 ? 'passed' : 'failed'] += 1;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${title} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  return status === 0;
}

/** Runs one jest project and adds its tests to the counts. A run that ends without a report counts as one failure. */
function jest(project, extra) {
  const folder = mkdtempSync(join(tmpdir(), 'sy-jest-'));
  const report = join(folder, 'report.json');
  const args = [join(root, 'node_modules/jest/bin/jest.js'), '--selectProjects', project, '--json', `--outputFile=${report}`, ...extra];
  // The report goes to the file; jest prints its progress on stderr, and a copy of the report on stdout, which nobody needs.
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (existsSync(report)) {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts.passed += result.numPassedTests;
    counts.failed +=
      result.numFailedTests + result.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
    counts.failed += result.numPendingTests + result.numTodoTests;
    if (status !== 0 && result.success) counts.failed += 1;
  } else {
    counts.failed += 1;
    console.log(`FAIL jest ended without a report for the project ${project} (status ${status})`);
  }
  rmSync(folder, { recursive: true, force: true });
}

check('build', ['build/build.js']);
check('generated files are up to date', ['build/generate.js', '--check']);
check('format, lint, import rule, types', ['build/lint.js']);
jest('unit', process.env.CI ? ['--maxWorkers=2'] : []);
jest('e2e', ['--runInBand']);

console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
