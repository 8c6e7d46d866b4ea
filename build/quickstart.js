// `npm run quickstart`, after build/setup.sh. The program is TypeScript: build/quickstart/quickstart.ts.
require('../dist/build/quickstart.js');
