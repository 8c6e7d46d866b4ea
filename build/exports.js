// Exports that nothing needs: `node build/exports.js`. An export is needed if another file imports it; where only tests do, its own file must use it too,
// or it is dead code with a test. A type may be exported for the signatures of its own file. What constructs/index.ts exports is for the library's users.
// Files in gen/ are not judged.
const { parseFileSync } = require('@swc/core');
const { readdirSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { imports } = require('../package.json');
const { FOLDERS } = require('./rooms.js');

const root = join(__dirname, '..');
const PUBLIC = 'constructs/index.ts';
const isTest = (file) => /^(test|bench)\/|\.test\.ts$|\/testing\//.test(file);

/** The file that a specifier names, by its path in the checkout; a package stays what it is. */
function target(from, specifier) {
  if (specifier.startsWith('.')) return join(dirname(from), specifier);
  const [room, ...path] = specifier.split('/');
  return specifier.startsWith('#') ? join(imports[`${room}/*`].replace('*', path.join('/'))) : specifier;
}

/** How often each identifier stands below a node. */
function countNames(node, names = new Map()) {
  if (node?.type === 'Identifier') names.set(node.value, (names.get(node.value) ?? 0) + 1);
  if (node !== null && typeof node === 'object') for (const child of Object.values(node)) countNames(child, names);
  return names;
}

function exportedNames({ type, declaration, specifiers }) {
  if (type === 'ExportNamedDeclaration') return specifiers.map(({ exported, orig }) => (exported ?? orig).value);
  if (type !== 'ExportDeclaration') throw new Error(`${type}: build/exports.js cannot tell what it exports; write the names`);
  if (declaration.type !== 'VariableDeclaration') return [(declaration.id ?? declaration.identifier).value];
  return declaration.declarations.map(({ id }) => id.value);
}

const files = FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)));
const exported = [];
const importers = new Map();
for (const file of files.filter((name) => name.endsWith('.ts') && !name.includes('cdktf.out'))) {
  const { body } = parseFileSync(join(root, file), { syntax: 'typescript', decorators: true });
  const names = countNames(body);
  for (const node of body) {
    for (const { type, orig, imported, local } of node.source ? (node.specifiers ?? []) : []) {
      const name = type === 'ImportNamespaceSpecifier' ? '*' : (orig ?? imported ?? local).value;
      const key = `${target(file, node.source.value)} ${name}`;
      importers.set(key, [...(importers.get(key) ?? []), file]);
    }
    if (!node.type.startsWith('Export') || file === PUBLIC || /\/gen\//.test(file)) continue;
    const isType = /^Ts(Interface|TypeAlias)/.test(node.declaration?.type);
    for (const name of exportedNames(node)) exported.push({ file, name, isType, usedInside: names.get(name) > 1 });
  }
}

const unneeded = exported.flatMap(({ file, name, isType, usedInside }) => {
  const by = importers.get(`${file} ${name}`) ?? [];
  if (by.some((importer) => isTest(file) || !isTest(importer)) || (usedInside && (isType || by.length > 0))) return [];
  return [`${file}: ${name} ${by.length ? 'is used by tests alone' : usedInside ? 'is used in its own file alone' : 'is used nowhere'}`];
});
for (const line of unneeded) console.error(line);
process.exit(unneeded.length ? 1 : 0);
