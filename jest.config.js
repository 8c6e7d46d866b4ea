const { FOLDERS } = require('./build/rooms.js');

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

module.exports = {
  // A busy machine takes its time. What must be quick says so itself; what hangs is found all the same.
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      rootDir: __dirname,
      roots: FOLDERS.filter((folder) => folder !== 'test').map((folder) => `<rootDir>/${folder}`),
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
