import { expect, test } from '@jest/globals';
import { EXIT, explainFailure } from '#daemon/exit';
import { agentCommand } from './command.ts';

const RIGHT = { '--trust-domain': 'east.example', '--authority': '192.0.2.1:7400' };

async function failureOf(flags: Readonly<Record<string, string>>): Promise<number> {
  const command = agentCommand({}, '/nowhere').configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await command.parseAsync(Object.entries(flags).flat(), { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return explainFailure('symbolon-agent', error).code;
  }
}

test.each<[Readonly<Record<string, string>>, number]>([
  [{ '--help': '' }, EXIT.ok],
  [{}, EXIT.usage],
  [{ ...RIGHT, '--nonsense': '1' }, EXIT.usage],
  [{ ...RIGHT, '--trust-domain': 'East' }, EXIT.usage],
  [{ ...RIGHT, '--authority': '192.0.2.1' }, EXIT.usage],
  [{ ...RIGHT, '--listen-port': '0' }, EXIT.usage],
  [{ ...RIGHT, '--log-level': 'loud' }, EXIT.usage],
  [{ ...RIGHT, '--bootstrap-bundle': '/nowhere/bundle.pem' }, EXIT.usage],
])('symbolon-agent %j: %i', async (flags, code) => {
  expect(await failureOf(flags)).toBe(code);
});
