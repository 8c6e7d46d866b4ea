// A process that starts a lab, says its id, and lives until it is killed. The test builds and runs it.
import { startLab } from '#lab/lab';
import { parseLabFile } from '#lab/spec-file';

const [, , checkout = '', file = ''] = process.argv;
startLab(parseLabFile(file), { authority: false, checkout }).then(
  (lab) => {
    process.stdout.write(`${lab.id}\n`);
    setInterval(() => undefined, 60_000);
  },
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
