// Runs a CDKTF program of this repository: `node build/synth.js examples/quickstart/main.ts`. `symbolon/constructs` means the library's source, so
// that nothing has to be built first. The output goes where CDKTF_OUTDIR says, else to cdktf.out.
const esbuild = require('esbuild');
const Module = require('node:module');
const { join, resolve } = require('node:path');

const root = join(__dirname, '..');
const [program] = process.argv.slice(2);
if (!program) {
  console.error('synth: which program? Write for instance: node build/synth.js examples/quickstart/main.ts');
  process.exit(2);
}

const file = resolve(program);
const { outputFiles } = esbuild.buildSync({
  absWorkingDir: root,
  entryPoints: [file],
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  sourcemap: 'inline',
  external: ['cdktf', 'constructs'],
  alias: { 'symbolon/constructs': join(root, 'constructs/index.ts') },
  logLevel: 'warning',
});

const main = new Module(file, undefined);
main.filename = file;
main.paths = Module._nodeModulePaths(root);
try {
  main._compile(outputFiles[0].text, file);
} catch (error) {
  console.error(`${program}: ${error.message}`);
  process.exit(1);
}
