// `npm run bench [NAME…]`: builds and runs the benchmarks in bench/, one after the other. Each prints what it measured; nothing here passes or fails.
const esbuild = require('esbuild');
const { execFileSync, spawnSync } = require('node:child_process');
const { mkdirSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const out = join(root, 'dist/bench');
const all = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts') && file !== 'report.ts')
  .map((file) => file.replace(/\.ts$/, ''));
const wanted = process.argv.slice(2).length ? process.argv.slice(2) : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length) {
  console.error(`bench: no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(2);
}

mkdirSync(out, { recursive: true });
execFileSync(process.execPath, [join(root, 'build/build.js')], { stdio: 'inherit' });
execFileSync('clang', ['-O2', '-Wall', '-Wextra', '-o', join(out, 'traffic'), join(root, 'bench/tools/traffic.c'), '-lpthread'], {
  stdio: 'inherit',
});
for (const name of wanted) {
  esbuild.buildSync({
    absWorkingDir: root,
    entryPoints: [`bench/${name}.ts`],
    outfile: `dist/bench/${name}.js`,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    logLevel: 'warning',
    packages: 'external',
  });
  console.log(`# ${name}`);
  const { status } = spawnSync(process.execPath, [join(out, `${name}.js`)], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
