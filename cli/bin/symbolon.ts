import { explainFailure } from '../exit.ts';
import { buildProgram } from '../program.ts';

buildProgram(__dirname)
  .parseAsync()
  .catch((error: unknown) => {
    const { code, text } = explainFailure(error);
    if (text) process.stderr.write(`${text}\n`);
    process.exitCode = code;
  });
