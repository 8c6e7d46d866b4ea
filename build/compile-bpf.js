// How C becomes a BPF object: the gate that is shipped, and the file from whose BTF the layout is read.
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');

/** Debian keeps <asm/types.h> in a folder of the build machine's own triplet, which clang does not search for the bpf target. */
function systemIncludes() {
  const { stdout } = spawnSync('clang', ['-print-target-triple'], { encoding: 'utf8' });
  const folder = `/usr/include/${(stdout ?? '').trim().replace('-pc-', '-').replace('-unknown-', '-')}`;
  return existsSync(folder) ? ['-idirafter', folder] : [];
}

/** One object of one source, both by their paths in the checkout. `-mcpu=v3`: atomics that return a value. `-g`: BTF, without which no map has a type. */
function compileBpf(source, object) {
  const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Wextra', '-Werror', ...systemIncludes()];
  const { error, status, stderr } = spawnSync('clang', [...flags, '-c', source, '-o', object], { cwd: root, encoding: 'utf8' });
  if (error) throw new Error(`clang could not be run (${error.message}); install clang 14 or newer`);
  if (status !== 0) throw new Error(`clang refused ${source}:\n${stderr}`);
  if (spawnSync('llvm-strip', ['-g', object]).error) console.log('bpf: llvm-strip is not installed, the object keeps its DWARF');
}

module.exports = { compileBpf };
