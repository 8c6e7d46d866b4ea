// Writes constructs/gen: a typed class for the provider, each of its resources and data sources, from the provider's own schema in the form of
// `terraform providers schema -json`. `node build/bindings.js [schema.json]`; without a file it asks the provider itself.
const { execFileSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { providerSchema } = require('./provider-schema.js');

const root = join(__dirname, '..');
const output = join(root, 'constructs/gen');
const { version } = require('../package.json');
const SOURCE = 'symbolon/symbolon';
const PROVIDER = 'symbolon';
/** Attributes that every Terraform object has or that cdktf gives a meaning of its own. */
const META = new Set(['count', 'provider', 'lifecycle', 'depends_on', 'for_each', 'connection', 'provisioners']);

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const pascal = (name) => camel(`_${name}`);
const byName = (object) => Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
const indent = (text, by) => text.replace(/^(?=.)/gm, ' '.repeat(by));

/** A docstring of a description, or nothing. */
function docstring(description) {
  if (!description) return '';
  const lines = description.replaceAll('*/', '* /').trim().split('\n');
  return lines.length === 1 ? `/** ${lines[0]} */\n` : `/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`;
}

const SCALARS = {
  string: { type: 'string', mapper: 'stringToTerraform', getter: 'getStringAttribute' },
  number: { type: 'number', mapper: 'numberToTerraform', getter: 'getNumberAttribute' },
  bool: { type: 'boolean | IResolvable', mapper: 'booleanToTerraform', getter: 'getBooleanAttribute', read: 'IResolvable' },
};

/**
 * One file's worth of interfaces and mappers, collected while the types of attributes are read.
 * `imports` are the names taken from cdktf.
 */
class Unit {
  constructor() {
    this.imports = new Set();
    this.parts = [];
  }

  /** The TypeScript type, the mapper's expression and, if there is one, the getter of an attribute. */
  typeOf(name, attribute) {
    if (attribute.nested_type) return this.nested(name, attribute.nested_type);
    const { type } = attribute;
    if (typeof type === 'string') return this.scalar(type, name);
    const [kind, element] = type;
    if (typeof element !== 'string') throw new Error(`${name}: no binding for the type ${JSON.stringify(type)}; extend build/bindings.js`);
    const inner = this.scalar(element, name);
    if (kind === 'map') {
      this.imports.add('hashMapper');
      return { type: `{ readonly [key: string]: ${inner.type} }`, mapper: `hashMapper(${inner.mapper})` };
    }
    this.imports.add('listMapper');
    const bound = { type: `readonly ${inner.type}[]`, mapper: `listMapper(${inner.mapper}, false)` };
    // Terraform's functions and indices take lists, not sets.
    return element === 'string'
      ? { ...bound, read: 'string[]', getter: 'getListAttribute', wrap: kind === 'set' ? 'Fn.tolist' : '' }
      : bound;
  }

  scalar(type, name) {
    const found = SCALARS[type];
    if (!found) throw new Error(`${name}: no binding for the type ${JSON.stringify(type)}; extend build/bindings.js`);
    this.imports.add(found.mapper);
    if (type === 'bool') this.imports.add('IResolvable');
    return found;
  }

  nested(name, { attributes, nesting_mode: mode }) {
    const { type, mapper } = this.struct(name, attributes);
    if (mode === 'single') return { type, mapper };
    this.imports.add(mode === 'map' ? 'hashMapper' : 'listMapper');
    return mode === 'map'
      ? { type: `{ readonly [key: string]: ${type} }`, mapper: `hashMapper(${mapper})` }
      : { type: `readonly ${type}[]`, mapper: `listMapper(${mapper}, false)` };
  }

  /** An interface for an object and the function that gives it Terraform's names. */
  struct(name, attributes) {
    const fields = this.fields(name, attributes);
    const mapper = `${name[0].toLowerCase()}${name.slice(1)}ToTerraform`;
    this.parts.push(
      `export interface ${name} {\n${indent(fields.map((field) => field.declaration).join('\n'), 2)}\n}`,
      `function ${mapper}(struct?: ${name}): unknown {\n  if (struct === undefined) return undefined;\n  return {\n` +
        `${fields.map((f) => `    ${f.attribute}: ${f.mapper}(struct.${f.property}),`).join('\n')}\n  };\n}`,
    );
    return { type: name, mapper };
  }

  /** The configurable attributes as fields of an interface. */
  fields(owner, attributes) {
    return byName(attributes)
      .filter(([, attribute]) => attribute.required || attribute.optional)
      .map(([attribute, about]) => {
        if (META.has(attribute)) throw new Error(`${owner}.${attribute}: the name has a meaning of its own in cdktf`);
        const { type, mapper } = this.typeOf(`${owner}${pascal(attribute)}`, about);
        const property = camel(attribute);
        const declaration = `${docstring(about.description)}readonly ${property}${about.required ? '' : '?'}: ${type};`;
        return { attribute, property, type, mapper, declaration, required: Boolean(about.required) };
      });
  }

  text(body) {
    const code = [...this.parts, body].join('\n\n');
    // Mappers of attributes that cannot be configured are collected, too, and not used.
    const used = [...this.imports].filter((name) => new RegExp(`\\b${name}\\b`).test(code)).sort((a, b) => a.localeCompare(b, 'en'));
    return `${HEADER}import { ${used.join(', ')} } from 'cdktf';\nimport type { Construct } from 'constructs';\n\n${code}\n`;
  }
}

const HEADER = "// Made by build/bindings.js from the provider's schema. Not edited by hand.\n";
const metadata = `{ providerName: '${PROVIDER}', providerVersionConstraint: '~> ${version}' }`;
/** cdktf would write HCL from other mappers, which nothing here makes. */
const noHcl = `
  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }`;

function elementFile({ name, base, type, block, description }) {
  const unit = new Unit();
  unit.imports.add(base).add('TerraformMetaArguments');
  const config = `${name}Config`;
  const fields = unit.fields(name, block.attributes);
  const getters = byName(block.attributes).flatMap(([attribute, about]) => {
    const { type: written, read = written, getter, wrap = '' } = about.nested_type ? {} : unit.typeOf(name, about);
    if (!getter) return [];
    if (wrap) unit.imports.add('Fn');
    return [`${docstring(about.description)}get ${camel(attribute)}(): ${read} {\n  return ${wrap}(this.${getter}('${attribute}'));\n}`];
  });
  unit.parts.push(
    `export interface ${config} extends TerraformMetaArguments {\n${indent(fields.map((field) => field.declaration).join('\n'), 2)}\n}`,
  );
  return unit.text(`${docstring(description)}export class ${name} extends ${base} {
  static readonly tfResourceType = '${type}';
  private readonly config: ${config};

  constructor(scope: Construct, id: string, config: ${config}) {
    super(scope, id, {
      ...config,
      terraformResourceType: '${type}',
      terraformGeneratorMetadata: ${metadata},
    });
    this.config = config;
  }

${indent(getters.join('\n\n'), 2)}

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
${fields.map((f) => `      ${f.attribute}: ${f.mapper}(this.config.${f.property}),`).join('\n')}
    };
  }
${noHcl}
}`);
}

function providerFile({ name, block, description }) {
  const unit = new Unit();
  unit.imports.add('TerraformProvider').add('Lazy');
  const fields = unit.fields(name, block.attributes);
  const accessors = fields.map(
    ({ property, type, required }) =>
      `get ${property}(): ${type}${required ? '' : ' | undefined'} {\n  return this.config.${property};\n}\n` +
      `set ${property}(value: ${type}) {\n  this.config = { ...this.config, ${property}: value };\n}`,
  );
  unit.parts.push(
    `export interface ${name}Config {\n${indent(fields.map((field) => field.declaration).join('\n'), 2)}\n` +
      `  /** Terraform's alias of this provider block. */\n  readonly alias?: string;\n}`,
  );
  // cdktf turns the keys of a provider's plain objects into snake case, also those of maps, which are the user's. It leaves resolvables alone.
  return unit.text(`${docstring(description)}export class ${name} extends TerraformProvider {
  static readonly tfResourceType = '${PROVIDER}';
  private config: ${name}Config;

  constructor(scope: Construct, id: string, config: ${name}Config) {
    super(scope, id, {
      terraformResourceType: '${PROVIDER}',
      terraformGeneratorMetadata: ${metadata},
      terraformProviderSource: '${SOURCE}',
    });
    this.config = config;
  }

  override get alias(): string | undefined {
    return this.config.alias;
  }

${indent(accessors.join('\n\n'), 2)}

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      alias: this.config.alias,
${fields.map((f) => `      ${f.attribute}: Lazy.anyValue({ produce: () => ${f.mapper}(this.config.${f.property}) }),`).join('\n')}
    };
  }
${noHcl}
}`);
}

/** Every generated file by name. */
function bindings(schema) {
  const files = new Map([
    [
      'provider.ts',
      providerFile({ name: 'SymbolonProvider', block: schema.provider.block, description: schema.provider.block.description }),
    ],
  ]);
  const add = (schemas, base, suffix) => {
    for (const [type, { block }] of byName(schemas)) {
      const noun = type.slice(PROVIDER.length + 1);
      const file = `${noun.replaceAll('_', '-')}-${suffix.replace(/(?!^)[A-Z]/g, (l) => `-${l}`).toLowerCase()}.ts`;
      files.set(file, elementFile({ name: `${pascal(noun)}${suffix}`, base, type, block, description: block.description }));
    }
  };
  add(schema.resource_schemas, 'TerraformResource', 'Resource');
  add(schema.data_source_schemas, 'TerraformDataSource', 'DataSource');
  return files;
}

function format(files) {
  // Formatted outside the checkout: biome leaves folders named gen alone.
  const folder = mkdtempSync(join(tmpdir(), 'sy-bindings-'));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    writeFileSync(
      join(folder, 'biome.json'),
      JSON.stringify({ formatter: { indentStyle: 'space', lineWidth: 140 }, javascript: { formatter: { quoteStyle: 'single' } } }),
    );
    execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', '.'], { cwd: folder, stdio: 'pipe' });
    return new Map([...files.keys()].map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [file] = process.argv.slice(2);
const schema = file ? JSON.parse(readFileSync(file, 'utf8')) : providerSchema();
const files = format(bindings(Object.values(schema.provider_schemas)[0]));
mkdirSync(output, { recursive: true });
for (const name of readdirSync(output)) if (name.endsWith('.ts') && !files.has(name)) rmSync(join(output, name));
for (const [name, text] of files) writeFileSync(join(output, name), text);
