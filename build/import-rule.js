// What build/rooms.js says, checked by dependency-cruiser over every import, aliases included; and below the rooms: the agent's layers, and which npm
// modules are whose.
const { ROOMS, WATCHERS } = require('./rooms.js');

/** The agent's own rooms, lowest first; what they may use from outside is the agent's. Its bin/, command.ts, config.ts and serve.ts put them together. */
const AGENT = {
  'agent/kernel': [],
  'agent/datapath': ['agent/kernel'],
  'agent/proof': [],
  'agent/session': ['agent/datapath', 'agent/proof'],
  'agent/pair': ['agent/datapath', 'agent/proof', 'agent/session'],
  'agent/attestation': ['agent/kernel'],
  'agent/identity': ['agent/proof'],
  'agent/node': ['agent/attestation', 'agent/datapath', 'agent/identity', 'agent/pair', 'agent/proof', 'agent/session', 'agent/config.ts'],
  'agent/workload-api': ['agent/attestation', 'agent/kernel', 'agent/proof'],
  'agent/status': ['agent/datapath', 'agent/identity', 'agent/node'],
};

const TEST_FILES = '(\\.test\\.ts|/testing/[^/]+\\.ts)$';
const escape = (room) => room.replaceAll('/', '\\/');

const rooms = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room ${room}`,
  severity: 'error',
  comment: `${room} may import ${allowed.length ? allowed.join(', ') : 'no other room'}`,
  from: { path: `^${escape(room)}/`, pathNot: TEST_FILES },
  to: {
    path: `^(${[...Object.keys(ROOMS), ...WATCHERS].map(escape).join('|')})/`,
    pathNot: `^(${[room, ...allowed].map(escape).join('|')})/`,
  },
}));

const agentRooms = Object.entries(AGENT).map(([room, allowed]) => ({
  name: `room ${room}`,
  severity: 'error',
  comment: `${room} may import ${allowed.length ? allowed.join(', ') : 'no other room of the agent'}`,
  from: { path: `^${escape(room)}/`, pathNot: TEST_FILES },
  to: { path: '^agent/', pathNot: `^(${[room, ...allowed].map(escape).join('|')})(/|$)` },
}));

const packages = [
  { name: 'koffi is the kernel room’s', from: { pathNot: '^agent/kernel/' }, to: { path: 'node_modules/koffi' } },
  {
    name: 'certificates are issued in authority/ca',
    from: { pathNot: `^(authority/ca/|test/)|${TEST_FILES}` },
    to: { path: 'node_modules/@peculiar' },
  },
  {
    name: 'core is pure',
    from: { path: '^core/', pathNot: TEST_FILES },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
  },
  {
    name: 'core’s packages',
    from: { path: '^core/', pathNot: TEST_FILES },
    to: { path: 'node_modules/', pathNot: 'node_modules/(lossless-json|@types)' },
  },
  {
    name: 'testing folders are for tests',
    from: { pathNot: `^(test|bench)/|${TEST_FILES}` },
    to: { path: '/testing/' },
  },
  {
    name: 'constructs import only cdktf and constructs',
    from: { path: '^constructs/', pathNot: TEST_FILES },
    to: { path: 'node_modules/', pathNot: 'node_modules/(cdktf|constructs|@types)' },
  },
];

module.exports = {
  forbidden: [...rooms, ...agentRooms, ...packages.map((rule) => ({ severity: 'error', ...rule }))],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|cdktf\\.out)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
