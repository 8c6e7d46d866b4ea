import type { Command } from 'commander';
import { explain, type Question } from '#core/policy/explain';
import { type PairObstacle, pairObstacles } from '#core/registration/pair-obstacles';
import { instantFromMs } from '#core/time/instant';
import { EXIT } from '#daemon/exit';
import { SymbolonError } from '#core/errors/error';
import { askAuthority, type AuthorityFlags, withAuthorityFlags } from './authority-access.ts';
import { type Declared, readDeclared } from './declared.ts';
import { answerOf, describeAnswer } from './explain-answer.ts';
import { type AskedEnd, familyOf, parseDestination, parseEnd, resolveEnd } from './explain-question.ts';
import { printJson, printLines } from './output.ts';

interface ExplainFlags extends AuthorityFlags {
  readonly json?: boolean;
}

const HELP = `
SOURCE is an identity or an address: web, spiffe://east.example/web, 10.1.0.10.
DESTINATION has a port as well: payments:8443, payments:5353/udp, [fd00:2::10]:8443, payments/icmp.

The answer is about a new connection, by what the authority knows now. A pair that lives goes on until its lease ends, and a session
that two agents have opened before serves until it is closed.
  allowed  both would prove themselves, and the policies of both sides allow it
  waits    the same, but the agent of a node is not connected to the authority: new pairs wait until it is back
  free     passes without proof: neither end demands one
  refused  a policy is missing or denies it, or the two cannot prove themselves: an end without an identity, enforcement or address, a node
           without an endpoint (only between two nodes), one that is banned, has never joined, or whose SVID has ended

Exit codes: 0 allowed or free, 1 waits, refused or failed, 2 not understood.

--json prints one object:
  source, destination  each with label and, where they are known, id and node; enforcement; inDirectory: whether the node directory covers it
  traffic              like tcp/8443
  verdict              allowed, waits, free, refused
  authenticates        whether the two could prove themselves to each other, whatever the policies say
  sides                what the policies say: side (egress, ingress), node, decision with verdict (allow, deny) and rule
  missing              in words, all that is missing; empty if it would pass
  obstacles            what keeps an agent from proving new pairs: node, reason (no-endpoint, banned, not-joined, expired, not-connected),
                       until (changed: until somebody changes it; back: until the agent is back), text (also in missing)`;

/** `symbolon explain SOURCE DESTINATION`: exit code 0 if a new connection would pass, 1 if not, or not now. */
export function addExplain(program: Command): void {
  const command = program
    .command('explain <SOURCE> <DESTINATION>')
    .description('would a connection authenticate, which policy decides on each side, and what is missing')
    .addHelpText('after', HELP)
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
    const answer = answerOf(explain(question), obstaclesOf(question, declared));
    if (answer.verdict === 'free') refuseUndeclared(from, to, declared);
    if (flags.json) printJson({ source: question.source, destination: question.destination, traffic: traffic.text, ...answer });
    else printLines(...describeAnswer(question, answer));
    process.exitCode = answer.verdict === 'allowed' || answer.verdict === 'free' ? EXIT.ok : EXIT.failed;
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

/** What keeps the agents of the two ends from proving them; nothing where an end is on no declared node, which the explanation says. */
function obstaclesOf({ source, destination }: Question, { standings }: Declared): readonly PairObstacle[] {
  const [from, to] = [source.node, destination.node].map((node) => (node === undefined ? undefined : standings.get(node)));
  return from && to ? pairObstacles(from, to, instantFromMs(Date.now())) : [];
}
