import type { Command } from 'commander';
import { openLab } from '#lab/lab';
import { printLines } from '../output.ts';
import { labChoice } from './choice.ts';

const DO = {
  up: { text: 'start agents that do not run; those that never joined get a one-time token', done: 'running' },
  down: { text: 'end agents in order', done: 'stopped' },
  kill: { text: 'kill -9 agents', done: 'killed' },
} as const;

/** `symbolon lab agents up|down|kill [NODE…]`. */
export function addLabAgents(lab: Command): void {
  const agents = lab.command('agents').description('the node agents; without names, those of every node');
  for (const [verb, { text, done }] of Object.entries(DO) as [keyof typeof DO, (typeof DO)[keyof typeof DO]][]) {
    agents
      .command(`${verb} [NODE...]`)
      .description(text)
      .action(async (nodes: readonly string[], _: object, command: Command) => {
        const up = openLab(labChoice(command));
        await up.agents[verb](nodes);
        const named = nodes.length > 0 ? nodes : up.spec.nodes.map((n) => n.name);
        printLines(`agents ${done}: ${named.join(', ')}`);
      });
  }
}
