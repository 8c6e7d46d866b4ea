// The interop tests are no part of `npm test`: they need Go. `npm run test:interop` runs them.
const { projects } = require('../../jest.config.js');

const { displayName: _, ...e2e } = projects.find((project) => project.displayName === 'e2e');
module.exports = { ...e2e, roots: [__dirname], testMatch: ['**/*.interop.ts'] };
