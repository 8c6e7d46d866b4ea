// Builds everything that runs: bundles, BPF objects, the provider's package, the construct library. `node build/build.js [part…]`.
const esbuild = require('esbuild');
const { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { execFileSync } = require('node:child_process');

const root = join(__dirname, '..');
const dist = join(root, 'dist');
const version = require('../package.json').version;

// Native modules and what must not be bundled: they lie beside the bundle (agent, authority) or are the user's own (constructs).
const NATIVE = ['koffi', 'better-sqlite3', 'better-sqlite3-12'];

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  sourcemap: 'linked',
  logLevel: 'warning',
  external: NATIVE,
  banner: { js: '#!/usr/bin/env node' },
};

async function bundle(entry, outfile, options = {}) {
  await esbuild.build({ ...common, entryPoints: [entry], outfile: join('dist', outfile), ...options });
  chmodSync(join(dist, outfile), 0o755);
}

/** A native module's run-time files, and nothing of an earlier build, so that the artefact runs without the repository's node_modules. */
function copyModule(name, into, files) {
  const to = join(dist, into, 'node_modules', name);
  rmSync(to, { recursive: true, force: true });
  for (const file of files) cpSync(join(root, 'node_modules', name, file), join(to, file), { recursive: true, dereference: true });
}

/** The path within a SQLite module of what was compiled here. */
function compiled(name) {
  const file = 'build/Release/better_sqlite3.node';
  return existsSync(join(root, 'node_modules', name, file)) ? file : undefined;
}

const script = (name) => execFileSync(process.execPath, [join(root, 'build', name)], { stdio: 'inherit' });

const parts = {
  bpf: async () => script('bpf.js'),
  symbolon: async () => {
    await bundle('cli/bin/symbolon.ts', 'symbolon/symbolon.js');
    await bundle('authority/bin/authority.ts', 'symbolon/symbolon-authority.js');
    // Which of the two a Node needs is said in authority/store/sqlite.ts.
    copyModule('better-sqlite3', 'symbolon', ['package.json', 'lib', compiled('better-sqlite3') ?? `prebuilds/linux-${process.arch}.node`]);
    const older = compiled('better-sqlite3-12');
    if (older === undefined) return;
    copyModule('better-sqlite3-12', 'symbolon', ['package.json', 'lib', older]);
    copyModule('bindings', 'symbolon', ['package.json', 'bindings.js']);
    copyModule('file-uri-to-path', 'symbolon', ['package.json', 'index.js']);
  },
  agent: async () => {
    await bundle('agent/bin/agent.ts', 'agent/symbolon-agent.js');
    copyModule('koffi', 'agent', ['package.json', 'index.cjs', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs', 'LICENSE.txt']);
    copyModule(`@koromix/koffi-linux-${process.arch}`, 'agent', ['']); // npm installs the machine's own only
    cpSync(join(dist, 'bpf/gate.o'), join(dist, 'agent/gate.o'));
  },
  provider: async () => {
    const name = `terraform-provider-symbolon_v${version}`;
    rmSync(join(dist, 'provider'), { recursive: true, force: true });
    await bundle('provider/bin/provider.ts', `provider/${name}`, { sourcemap: false, minifySyntax: true, minifyWhitespace: true });
    const mirror = join(
      dist,
      'mirror/registry.terraform.io/symbolon/symbolon',
      version,
      `linux_${process.arch === 'x64' ? 'amd64' : process.arch}`,
    );
    rmSync(join(dist, 'mirror'), { recursive: true, force: true });
    mkdirSync(mirror, { recursive: true });
    cpSync(join(dist, 'provider', name), join(mirror, name));
  },
  lab: async () => {
    await bundle('lab/bin/probe.ts', 'lab/probe.js');
    await bundle('quickstart/bin/quickstart.ts', 'lab/quickstart.js');
  },
  constructs: async () => script('constructs.js'),
};

async function main() {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((part) => !(part in parts));
  if (unknown.length) {
    console.error(`build: no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
    process.exit(2);
  }
  mkdirSync(dist, { recursive: true });
  for (const part of wanted.length ? wanted : Object.keys(parts)) {
    const start = Date.now();
    await parts[part]();
    console.log(`build: ${part} (${Date.now() - start} ms)`);
  }
  writeFileSync(join(dist, 'version'), `${version}\n`);
}

main().catch((error) => {
  console.error(`build: ${error.message}`);
  process.exit(1);
});
