// Writes bpf/gen/layout.ts from the BTF of the gate's contract (bpf/layout.c): sizes, offsets, enumerators and limits, so that no number of bpf/maps.h
// is written twice. Only `npm run generate` runs it, never the build, or a stale layout could not be seen. Needs clang and bpftool.
const { execFileSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { compileBpf } = require('./compile-bpf.js');

const output = join(__dirname, '../bpf/gen');

/** BTF types by number, with the questions that the layout asks. */
class Btf {
  constructor(object) {
    const out = execFileSync('bpftool', ['btf', 'dump', 'file', object, '-j'], { encoding: 'utf8', maxBuffer: 1 << 26 });
    this.types = JSON.parse(out).types;
    this.byId = new Map(this.types.map((type) => [type.id, type]));
  }

  resolve(id) {
    const type = this.byId.get(id);
    return type.kind === 'TYPEDEF' || type.kind === 'CONST' ? this.resolve(type.type_id) : type;
  }

  size(id) {
    const type = this.resolve(id);
    return type.kind === 'ARRAY' ? type.nr_elems * this.size(type.type_id) : type.size;
  }

  /** `u8` … `u64`, `be16`, `bytes`, a structure's name; with `[]` for arrays of more than bytes. */
  kind(id) {
    const named = this.byId.get(id);
    if (named.name?.startsWith('__be')) return named.name.slice(2);
    const type = this.resolve(id);
    if (type.kind === 'ARRAY') return this.size(type.type_id) === 1 ? 'bytes' : `${this.kind(type.type_id)}[]`;
    if (type.kind === 'STRUCT') return type.name;
    return type.kind === 'UNION' ? 'bytes' : `u${type.size * 8}`;
  }
}

const constantName = (name) => name.toUpperCase();
const isOurs = (type) => type.name.startsWith('sym_');
const field = (btf, { name, type_id, bits_offset }) =>
  `    ${name}: { offset: ${bits_offset / 8}, size: ${btf.size(type_id)}, kind: '${btf.kind(type_id)}' },\n`;

function structText(btf, type) {
  const fields = type.members.map((member) => field(btf, member)).join('');
  return `export const ${constantName(type.name)} = {\n  size: ${type.size},\n  fields: {\n${fields}  },\n} as const;\n`;
}

/** `SYM_R_DENIED` in `sym_reason` becomes `SYM_REASON.DENIED`. */
function enumText(type) {
  const rows = type.values.map(({ name, val }) => `  ${name.replace(/^SYM_(R_|FLOW_(?!QUOTA))?/, '')}: ${val},\n`).join('');
  return `export const ${constantName(type.name)} = {\n${rows}} as const;\n`;
}

/** A map is a variable whose structure's members say type and entries by an array's length, key and value by a pointer. */
function mapText(btf, variable) {
  const of = Object.fromEntries(btf.resolve(variable.type_id).members.map((member) => [member.name, btf.resolve(member.type_id).type_id]));
  const entries = btf.resolve(of.max_entries).nr_elems;
  return `  ${variable.name}: { keySize: ${btf.size(of.key)}, valueSize: ${btf.size(of.value)}, maxEntries: ${entries} },\n`;
}

/** The structures and enumerations of the contract, in the order in which sym_contract names them, which no compiler changes. */
function contractTypes(btf) {
  const found = new Map();
  const visit = (id) => {
    const type = btf.resolve(id);
    if (type.kind === 'ARRAY') return visit(type.type_id);
    if ((type.kind !== 'STRUCT' && type.kind !== 'ENUM') || found.has(type.id)) return;
    if (isOurs(type)) found.set(type.id, type);
    for (const member of type.members ?? []) visit(member.type_id);
  };
  visit(btf.types.find((type) => type.kind === 'VAR' && type.name === 'sym_contract').type_id);
  return [...found.values()];
}

function layoutText(btf) {
  const variables = btf.types.filter((type) => type.kind === 'VAR' && isOurs(type) && type.name !== 'sym_contract');
  variables.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    '// Generated from bpf/maps.h by `node build/layout.js`. Do not edit.\n',
    '/** Sizes in bytes, and entries, of the pinned maps. */\n',
    `export const SYM_MAPS = {\n${variables.map((variable) => mapText(btf, variable)).join('')}} as const;\n`,
    ...contractTypes(btf).map((type) => `\n${type.kind === 'ENUM' ? enumText(type) : structText(btf, type)}`),
  ].join('');
}

const work = mkdtempSync(join(tmpdir(), 'sy-layout-'));
try {
  compileBpf('bpf/layout.c', join(work, 'layout.o'));
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'layout.ts'), layoutText(new Btf(join(work, 'layout.o'))));
} finally {
  rmSync(work, { recursive: true, force: true });
}
