import { keysOfParty, keysOfSet, type MemberKey } from './membership.ts';
import type { AuthPolicy, Party } from './model.ts';

/** The end of a flow that a party stands at. */
export type End = 'source' | 'destination';

/** A policy with its parties' keys. `rank` orders rules by their names, so that their order in the input never shows. */
export interface Rule {
  readonly policy: AuthPolicy;
  readonly rank: number;
  readonly keys: Readonly<Record<End, ReadonlySet<MemberKey>>>;
}

type Index = ReadonlyMap<MemberKey, readonly Rule[]>;

function indexBy(rules: readonly Rule[], end: End): Index {
  const index = new Map<MemberKey, Rule[]>();
  for (const rule of rules) {
    for (const key of rule.keys[end]) {
      const found = index.get(key);
      if (found === undefined) index.set(key, [rule]);
      else found.push(rule);
    }
  }
  return index;
}

/** The rules that one side enforces, found by the keys of either end. Immutable. */
export class RuleTable {
  private readonly index: Readonly<Record<End, Index>>;

  constructor(policies: readonly AuthPolicy[]) {
    const rules = policies.map((policy, rank) => ({
      policy,
      rank,
      keys: { source: new Set(keysOfSet(policy.sources)), destination: new Set(keysOfSet(policy.destinations)) },
    }));
    this.index = { source: indexBy(rules, 'source'), destination: indexBy(rules, 'destination') };
  }

  private byKeys(end: End, keys: readonly MemberKey[]): readonly (readonly Rule[])[] {
    return keys.map((key) => this.index[end].get(key) ?? []);
  }

  /** The rules that name the party at that end, in no order. */
  naming(end: End, party: Party): readonly Rule[] {
    return [...new Set(this.byKeys(end, keysOfParty(party)).flat())];
  }

  /** The rules that name both parties, by rank. Looks through the rules of the end that fewer rules name. */
  between(from: Party, to: Party): readonly Rule[] {
    const keys = { source: keysOfParty(from), destination: keysOfParty(to) };
    const found = { source: this.byKeys('source', keys.source), destination: this.byKeys('destination', keys.destination) };
    const count = (lists: readonly (readonly Rule[])[]): number => lists.reduce((sum, list) => sum + list.length, 0);
    const [through, other]: readonly [End, End] =
      count(found.source) <= count(found.destination) ? ['source', 'destination'] : ['destination', 'source'];
    const matching = new Set<Rule>();
    for (const list of found[through])
      for (const rule of list) if (keys[other].some((key) => rule.keys[other].has(key))) matching.add(rule);
    return [...matching].sort((a, b) => a.rank - b.rank);
  }
}
