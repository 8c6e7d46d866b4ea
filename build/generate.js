// Makes every generated file again: protobuf code, the BPF layout, the construct bindings, the reference documentation of
// provider and commands.
// `--check` changes nothing that lasts: it compares with what is there and fails if they differ.
const { execFileSync } = require('node:child_process');
const { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join, relative } = require('node:path');

const root = join(__dirname, '..');
const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });

/** A generator: what runs it, and the folders that belong to it alone. A later generator may need an earlier one's output. */
const GENERATORS = [
  { name: 'protobuf', folders: ['proto/gen'], make: () => run('buf', ['generate', 'proto']) },
  { name: 'BPF layout', folders: ['bpf/gen'], make: () => run(process.execPath, ['build/layout.js']) },
  { name: 'construct bindings', folders: ['constructs/gen'], make: () => run(process.execPath, ['build/bindings.js']) },
  { name: 'provider reference', folders: ['docs/reference/terraform'], make: () => run(process.execPath, ['build/reference.js']) },
  { name: 'command reference', folders: ['docs/reference/commands'], make: () => run(process.execPath, ['build/command-reference.js']) },
];

function filesBelow(folder) {
  if (!existsSync(folder)) return []; // never generated yet
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => statSync(file).isFile());
}

const contents = (folder) => new Map(filesBelow(join(root, folder)).map((file) => [relative(root, file), readFileSync(file, 'utf8')]));

function differences(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].filter((file) => before.get(file) !== after.get(file));
}

const checking = process.argv.includes('--check');
let stale = [];
for (const { name, folders, make } of GENERATORS) {
  const kept = checking ? mkdtempSync(join(tmpdir(), 'sy-generate-')) : undefined;
  const before = new Map(folders.flatMap((folder) => [...contents(folder)]));
  for (const folder of folders)
    if (kept && existsSync(join(root, folder))) cpSync(join(root, folder), join(kept, folder), { recursive: true });
  make();
  if (!kept) continue;
  const changed = differences(before, new Map(folders.flatMap((folder) => [...contents(folder)])));
  stale = stale.concat(changed.map((file) => `${file} (${name})`));
  for (const folder of changed.length ? folders : []) {
    rmSync(join(root, folder), { recursive: true, force: true });
    if (existsSync(join(kept, folder))) cpSync(join(kept, folder), join(root, folder), { recursive: true });
  }
  rmSync(kept, { recursive: true, force: true });
}
if (stale.length) {
  console.error(`generate: not up to date, run \`npm run generate\` and commit:\n  ${stale.join('\n  ')}`);
  process.exit(1);
}
