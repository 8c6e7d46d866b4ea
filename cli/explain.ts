import type { Command } from 'commander';
import { type Explanation, explain, type Question } from '#core/policy/explain';
import { EXIT } from '#daemon/exit';
import { SymbolonError } from '#core/errors/error';
import { askAuthority, type AuthorityFlags, withAuthorityFlags } from './authority-access.ts';
import { type Declared, readDeclared } from './declared.ts';
import { type AskedEnd, familyOf, parseDestination, parseEnd, resolveEnd } from './explain-question.ts';
import { printJson, printLines } from './output.ts';

interface ExplainFlags extends AuthorityFlags {
  readonly json?: boolean;
}

/** `symbolon explain SOURCE DESTINATION`: exit code 0 if it would pass, 1 if not. */
export function addExplain(program: Command): void {
  const command = program
    .command('explain <SOURCE> <DESTINATION>')
    .description('would a connection authenticate, which policy decides on each side, and what is missing')
    .addHelpText(
      'after',
      '\nSOURCE is an identity or an address: web, spiffe://east.example/web, 10.1.0.10.\nDESTINATION has a port as well: payments:8443, payments:5353/udp, [fd00:2::10]:8443, payments/icmp.',
    )
    .option('--json', 'print JSON');
  withAuthorityFlags(command).action(async (source: string, destination: string, flags: ExplainFlags) => {
    const { end, traffic } = parseDestination(destination);
    const declared = await askAuthority(flags, readDeclared);
    const from = parseEnd(source, declared.trustDomain);
    const to = parseEnd(end, declared.trustDomain);
    const question: Question = {
      source: resolveEnd(from, declared),
      destination: resolveEnd(to, declared),
      traffic,
      family: familyOf(from, to),
      egress: declared.policies,
      ingress: declared.policies,
    };
    const answer = explain(question);
    if (answer.verdict === 'free') refuseUndeclared(from, to, declared);
    if (flags.json) printJson({ source: question.source, destination: question.destination, traffic: traffic.text, ...answer });
    else printLines(...describeExplanation(question, answer));
    process.exitCode = answer.verdict === 'refused' ? EXIT.failed : EXIT.ok;
  });
}

/** That nothing manages what does not exist is no answer: it is a slip of the pen. What has no identity is asked for by its address. */
function refuseUndeclared(from: AskedEnd, to: AskedEnd, { identities, trustDomain }: Declared): void {
  for (const end of [from, to]) {
    if (end.kind === 'address' || identities.some(({ id }) => id === end.id)) continue;
    throw new SymbolonError('NOT_FOUND', `nothing declares ${end.id} in ${trustDomain}; check the name, or ask for an address`, {
      what: end.id,
    });
  }
}

const VERDICTS: Readonly<Record<Explanation['verdict'], string>> = {
  allowed: 'allowed, after both have proven themselves',
  free: 'passes without proof: neither end demands one here',
  refused: 'refused',
};

function describeExplanation(question: Question, answer: Explanation): readonly string[] {
  const { source, destination, traffic } = question;
  return [
    `${source.label} > ${destination.label} ${traffic.text}: ${VERDICTS[answer.verdict]}`,
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
