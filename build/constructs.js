// Makes dist/constructs: the npm package `symbolon` as a CDKTF program uses it. Bundles are CommonJS with this project's internals inside;
// `cdktf` and `constructs` stay the user's own. The declarations name public types only, which is checked.
const esbuild = require('esbuild');
const { execFileSync } = require('node:child_process');
const { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { join, relative } = require('node:path');

const root = join(__dirname, '..');
const dist = join(root, 'dist/constructs');
const library = join(dist, 'constructs');
const { version, license, description } = require('../package.json');
const PEERS = ['cdktf', 'constructs'];
/** Ranges that are tried in tests: cdktf's last release, and constructs as it asks for. */
const PEER_RANGES = { cdktf: '>=0.21.0 <1', constructs: '>=10.4.2 <11' };

const filesBelow = (folder, ending) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => file.endsWith(ending));

/** One file: constructs compare by class, so that no class may exist twice. */
const bundle = () =>
  esbuild.build({
    absWorkingDir: root,
    entryPoints: ['constructs/index.ts'],
    outfile: join(library, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node20.9',
    format: 'cjs',
    external: PEERS,
    logLevel: 'warning',
  });

/** The declarations of everything that the public files reach. */
function declarations() {
  // Inside the checkout, so that the compiler finds node_modules; below dist, which nothing else reads.
  const work = mkdtempSync(join(root, 'dist/types-'));
  try {
    const config = {
      extends: relative(work, join(root, 'tsconfig.json')),
      compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: join(work, 'out'), rootDir: root },
      include: [join(root, 'constructs/index.ts')],
      exclude: [],
    };
    writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', work], { cwd: root, stdio: 'inherit' });
    cpSync(join(work, 'out/constructs'), library, { recursive: true });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  for (const file of filesBelow(library, '.d.ts')) {
    // Compilers before TypeScript 5.7 do not look for `x.d.ts` behind `x.ts`.
    const text = readFileSync(file, 'utf8').replace(/((?:from|import\()\s*')(\.{1,2}\/[^']+)\.ts'/g, "$1$2'");
    const internal = /'(#[^']+)'/.exec(text);
    if (internal)
      throw new Error(`${relative(root, file)} needs the internal module ${internal[1]}; public signatures may name public types only`);
    writeFileSync(file, text);
  }
}

function manifest() {
  const entry = { types: './constructs/index.d.ts', default: './constructs/index.js' };
  return {
    name: 'symbolon',
    version,
    description,
    license,
    type: 'commonjs',
    engines: { node: '>=20.9' },
    exports: { './constructs': entry, './package.json': './package.json' },
    files: ['constructs', 'LICENSE'],
    peerDependencies: PEER_RANGES,
  };
}

async function main() {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(library, { recursive: true });
  await bundle();
  declarations();
  cpSync(join(root, 'LICENSE'), join(dist, 'LICENSE'));
  cpSync(join(root, 'docs/how-to/declare-with-cdktf.md'), join(dist, 'README.md'));
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest(), undefined, 2)}\n`);
}

main().catch((error) => {
  console.error(`constructs: ${error.message}`);
  process.exit(1);
});
