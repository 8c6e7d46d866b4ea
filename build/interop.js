// `npm run test:interop [FILTER…]`: builds programs written with go-spiffe, and SPIRE's own command lines, from test/interop/go, and runs them
// against an authority and agents in a lab. The only thing here that needs Go. FILTER: parts of test files' names.
const { execFileSync, spawnSync } = require('node:child_process');
const { join } = require('node:path');

const root = join(__dirname, '..');
const source = join(root, 'test/interop/go');
const out = join(root, 'dist/interop');
const NEEDED = [1, 26];

/** What `go` says about itself. Go is on PATH or nowhere. */
function goVersion() {
  const { stdout, error } = spawnSync('go', ['env', 'GOVERSION'], { cwd: root, encoding: 'utf8' });
  return error ? undefined : stdout.trim();
}

const version = goVersion();
const [major = 0, minor = 0] = (version ?? '').replace(/^go/, '').split('.').map(Number);
if (process.getuid() !== 0) {
  console.error('test:interop: the lab makes namespaces and loads BPF programs; run this as root');
  process.exit(2);
}
if (version === undefined || major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  const found = version === undefined ? 'there is no `go` on PATH' : `${version} is older`;
  console.error(
    `test:interop: Go ${NEEDED.join('.')} or newer is needed for these tests alone, and ${found}; install it from https://go.dev/dl`,
  );
  process.exit(2);
}

const started = Date.now();
execFileSync(process.execPath, [join(root, 'build/build.js')], { stdio: 'inherit' });
// Of low priority: what is not in Go's cache yet takes minutes to compile.
console.log("building go-spiffe's and SPIRE's programs (the first time takes a few minutes)");
const build = ['go', 'build', '-buildvcs=false', '-o', `${out}/`, './...'];
const { status } = spawnSync('nice', ['-n', '19', ...build], { cwd: source, stdio: 'inherit' });
if (status !== 0) {
  console.error('test:interop: the Go programs could not be built; see above');
  process.exit(1);
}
const modules = ['github.com/spiffe/go-spiffe/v2', 'github.com/spiffe/spire', 'google.golang.org/grpc'];
const versions = execFileSync('go', ['list', '-m', ...modules], { cwd: source, encoding: 'utf8' });
console.log(`${version}, with\n${versions.replace(/^/gm, '  ').trimEnd()}\nbuilt in ${((Date.now() - started) / 1000).toFixed(1)} s`);

const jest = ['node_modules/jest/bin/jest.js', '--config', 'test/interop/jest.config.js', '--runInBand', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit' }).status ?? 1);
