// Every room, and which others it may import: the one list of them. Lint, import rule and unit tests go by it. `core/x` are rooms of their own.
// ARCHITECTURE.md says what each is.
const CORE = ['core/errors', 'core/time', 'core/network', 'core/spiffe', 'core/registration', 'core/policy'];

const ROOMS = {
  'core/errors': [],
  'core/time': [],
  'core/network': ['core/errors'],
  'core/spiffe': ['core/errors', 'core/time'],
  'core/registration': ['core/errors', 'core/time', 'core/network', 'core/spiffe'],
  'core/policy': ['core/errors', 'core/network', 'core/spiffe', 'core/registration'],
  proto: [],
  wire: ['core/errors', 'core/registration', 'proto'],
  daemon: ['core/errors', 'core/time', 'core/network', 'core/spiffe', 'proto'],
  authority: [...CORE, 'proto', 'wire', 'daemon'],
  agent: [...CORE, 'proto', 'wire', 'daemon', 'bpf'],
  bpf: [],
  provider: [...CORE, 'proto', 'wire', 'daemon'],
  constructs: CORE,
  lab: ['core/errors', 'core/network', 'core/spiffe', 'core/registration', 'core/time', 'daemon', 'proto'],
  cli: [...CORE, 'proto', 'wire', 'daemon', 'lab'],
  quickstart: ['core/errors', 'lab'],
  examples: ['constructs'],
  build: [],
};

/** They show what everything else does, and may import all of it. */
const WATCHERS = ['test', 'bench'];

/** The folders at the root that hold code. */
const FOLDERS = [...new Set([...Object.keys(ROOMS), ...WATCHERS].map((room) => room.split('/')[0]))];

module.exports = { ROOMS, WATCHERS, FOLDERS };
