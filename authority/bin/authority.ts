import { describeError } from '#core/errors/error';
import { authorityCommand } from '../admin/command.ts';

authorityCommand()
  .parseAsync()
  .catch((error: unknown) => {
    console.error(`symbolon authority: ${describeError(error)}`);
    process.exit(1);
  });
