// Writes docs/reference/commands: what every command says of itself with `--help`. `node build/command-reference.js`.
const { execFileSync } = require('node:child_process');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const output = join(root, 'docs/reference/commands');
const EXECUTABLES = [
  { name: 'symbolon', bundle: 'symbolon/symbolon.js', documentedElsewhere: ['authority'] },
  { name: 'symbolon authority', bundle: 'symbolon/symbolon-authority.js', documentedElsewhere: [] },
  { name: 'symbolon-agent', bundle: 'agent/symbolon-agent.js', documentedElsewhere: [] },
];

/** The help of a command and of everything below it. */
function sections({ name, bundle, documentedElsewhere }, path = []) {
  const help = execFileSync(process.execPath, [join(root, 'dist', bundle), ...path, '--help'], { encoding: 'utf8' });
  const [, commands = ''] = help.split('\nCommands:\n');
  const below = [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, command]) => command);
  return [
    `${path.length ? '##' : '#'} ${[name, ...path].join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`,
    ...below
      .filter((command) => command !== 'help' && !documentedElsewhere.includes(command))
      .flatMap((command) => sections({ name, bundle, documentedElsewhere }, [...path, command])),
  ];
}

execFileSync(process.execPath, [join(root, 'build/build.js'), 'bpf', 'symbolon', 'agent'], { stdio: 'inherit' });
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
for (const executable of EXECUTABLES) {
  const text = `<!-- generated from --help by \`npm run generate\`; do not edit -->\n${sections(executable).join('\n')}`;
  writeFileSync(join(output, `${executable.name.replace(' ', '-')}.md`), text);
}
