// The interop tests are no part of `npm test`: they need Go. `npm run test:interop` runs them.
const { projects, testTimeout } = require('../../jest.config.js');

const { displayName: _, ...e2e } = projects.find((project) => project.displayName === 'e2e');
module.exports = { ...e2e, testTimeout, roots: [__dirname], testMatch: ['**/*.interop.ts'] };
