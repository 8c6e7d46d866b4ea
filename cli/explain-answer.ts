import type { Explanation, Question } from '#core/policy/explain';
import type { PairObstacle } from '#core/registration/pair-obstacles';

/** What the policies say of a connection, and what keeps the agents from proving it. `waits`: allowed, as soon as an agent is back. */
export interface Answer extends Omit<Explanation, 'verdict'> {
  readonly verdict: Explanation['verdict'] | 'waits';
  readonly obstacles: readonly PairObstacle[];
}

/** Puts the two together. What nobody demands a proof of, no agent has to prove. */
export function answerOf(explanation: Explanation, obstacles: readonly PairObstacle[]): Answer {
  if (explanation.verdict === 'free') return { ...explanation, obstacles: [] };
  const lasting = obstacles.some(({ until }) => until === 'changed');
  const wait = explanation.verdict === 'allowed' && obstacles.length > 0;
  return {
    ...explanation,
    verdict: lasting ? 'refused' : wait ? 'waits' : explanation.verdict,
    authenticates: explanation.authenticates && !lasting,
    missing: [...explanation.missing, ...obstacles.map(({ text }) => text)],
    obstacles,
  };
}

const VERDICTS: Readonly<Record<Answer['verdict'], string>> = {
  allowed: 'allowed, after both have proven themselves',
  waits: 'allowed, but new pairs wait: an agent is not connected',
  free: 'passes without proof: neither end demands one here',
  refused: 'refused',
};
const UNPROVABLE = 'refused: the policies allow it, but the two cannot prove themselves';

function verdictText({ verdict, authenticates, sides }: Answer): string {
  const allowed = sides.length > 0 && sides.every(({ decision }) => decision.verdict === 'allow');
  return verdict === 'refused' && !authenticates && allowed ? UNPROVABLE : VERDICTS[verdict];
}

/** The answer for people. */
export function describeAnswer({ source, destination, traffic }: Question, answer: Answer): readonly string[] {
  return [
    `${source.label} > ${destination.label} ${traffic.text}: ${verdictText(answer)}`,
    ...answer.sides.map(({ side, node, decision }) => {
      const rule =
        decision.rule === undefined
          ? 'no policy allows it'
          : `${decision.verdict === 'allow' ? 'allowed' : 'denied'} by policy ${decision.rule}`;
      return `  ${side.padEnd(8)} ${rule}${node === undefined ? '' : `, enforced at ${node}`}`;
    }),
    ...answer.missing.map((what) => `  missing  ${what}`),
  ];
}
