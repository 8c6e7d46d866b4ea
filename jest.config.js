// One configuration, two projects: `unit` beside the code, in parallel; `e2e` with real kernels and namespaces, one at a time.
const common = {
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs', importInterop: 'node' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/'],
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/dist/', 'cdktf.out'],
};

const rooms = ['core', 'wire', 'daemon', 'authority', 'agent', 'provider', 'constructs', 'lab', 'cli', 'build'];

module.exports = {
  projects: [
    {
      ...common,
      displayName: 'unit',
      rootDir: __dirname,
      roots: rooms.filter((r) => require('node:fs').existsSync(`${__dirname}/${r}`)).map((r) => `<rootDir>/${r}`),
      testMatch: ['**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'e2e',
      rootDir: __dirname,
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.test.ts'],
      runner: '<rootDir>/test/setup/serial-runner.js',
    },
  ],
};
