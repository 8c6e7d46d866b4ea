import type { IpAddress } from '#core/network/address';
import { prefixContains, prefixesOverlap } from '#core/network/prefix';
import { addressOf, type LabSpec } from './spec.ts';

/** Where in a lab file a value stands. */
export type SpecPath = readonly (string | number)[];

export interface SpecProblem {
  readonly path: SpecPath;
  readonly value: string;
  readonly message: string;
}

/** The first thing that makes a well-formed lab impossible: an address used twice, a workload outside its node's prefixes, … */
export function findSpecProblem(spec: LabSpec): SpecProblem | undefined {
  const users = new Map<string, string>();
  const claim = (addresses: readonly IpAddress[], user: string, path: SpecPath): SpecProblem | undefined => {
    for (const [i, { text }] of addresses.entries()) {
      const other = users.get(text);
      if (other !== undefined) return { path: [...path, i], value: text, message: `${text} is the address of ${other} already` };
      users.set(text, user);
    }
    return undefined;
  };
  const places = [claim(spec.router.addresses, 'the router', ['router', 'addresses'])]
    .concat(claim(spec.authority.addresses, 'the authority', ['authority', 'addresses']))
    .concat(claim(spec.operator.addresses, 'the operator', ['operator', 'addresses']))
    .concat(spec.nodes.map((n) => claim(n.addresses, `node ${n.name}`, ['nodes', n.name, 'addresses'])));
  return places.find((p) => p !== undefined) ?? findPrefixProblem(spec) ?? findWorkloadProblem(spec, claim);
}

function findPrefixProblem(spec: LabSpec): SpecProblem | undefined {
  for (const node of spec.nodes) {
    for (const [i, prefix] of node.prefixes.entries()) {
      const problem = (message: string): SpecProblem => ({ path: ['nodes', node.name, 'prefixes', i], value: prefix.text, message });
      if (!addressOf(node.addresses, prefix.address.family)) {
        return problem(
          `${prefix.text} is IPv${prefix.address.family}, but the node has no IPv${prefix.address.family} address to route it to`,
        );
      }
      const other = spec.nodes.find((n) => n !== node && n.prefixes.some((p) => prefixesOverlap(p, prefix)));
      if (other) return problem(`${prefix.text} overlaps a prefix of node ${other.name}`);
      const used = spec.nodes.flatMap((n) => n.addresses).find((a) => prefixContains(prefix, a));
      if (used) return problem(`${prefix.text} covers the uplink address ${used.text}; keep workloads and uplinks apart`);
    }
  }
  return undefined;
}

type Claim = (addresses: readonly IpAddress[], user: string, path: SpecPath) => SpecProblem | undefined;

function findWorkloadProblem(spec: LabSpec, claim: Claim): SpecProblem | undefined {
  const homes = new Map(spec.nodes.map((n) => [n.name, `node ${n.name}`]));
  for (const node of spec.nodes) {
    for (const workload of node.workloads) {
      const path: SpecPath = ['nodes', node.name, 'workloads', workload.name];
      const home = homes.get(workload.name);
      if (home) return { path, value: workload.name, message: `the name ${workload.name} is taken by ${home}; names are unique in a lab` };
      homes.set(workload.name, `a workload on ${node.name}`);
      for (const [i, address] of workload.addresses.entries()) {
        if (node.prefixes.some((p) => prefixContains(p, address))) continue;
        const prefixes = node.prefixes.map((p) => p.text).join(', ') || 'none';
        const message = `${address.text} lies outside the prefixes of ${node.name} (${prefixes}), so nothing would be routed to it`;
        return { path: [...path, 'addresses', i], value: address.text, message };
      }
      const used = claim(workload.addresses, `workload ${workload.name}`, [...path, 'addresses']);
      if (used) return used;
    }
  }
  return undefined;
}
