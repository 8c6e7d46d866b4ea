// How late the first packet of a new pair is, and whether any is lost: every client workload reaches every server workload for the first time. IPv4 with TCP, IPv6 with
// UDP: a pair names its addresses, so each of the two is a first contact.
import { parseIpAddress } from '#core/network/address';
import type { LabSpec } from '#lab/spec';
import { quickstartSpec, startWorld } from '../test/setup/world.ts';
import { report } from './report.ts';

const CLIENTS = 25;
const SERVERS = 21;
const TIMEOUT_MS = 5000;

function spec(): LabSpec {
  const base = quickstartSpec();
  const workloads = (count: number, name: string, node: number, uid: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: `${name}${i}`,
      uid: uid + i,
      addresses: [parseIpAddress(`10.${node}.0.${i + 20}`), parseIpAddress(`fd00:${node}::${(i + 0x20).toString(16)}`)],
    }));
  const [first, second] = base.nodes;
  if (!first || !second) throw new Error('the lab file has no two nodes');
  return {
    ...base,
    nodes: [
      { ...first, workloads: workloads(CLIENTS, 'client', 1, 5000) },
      { ...second, workloads: workloads(SERVERS, 'server', 2, 6000) },
    ],
  };
}

async function main(): Promise<void> {
  const lab = spec();
  const clients = lab.nodes[0]?.workloads.map((w) => w.name) ?? [];
  const servers = lab.nodes[1]?.workloads.map((w) => w.name) ?? [];
  const world = await startWorld({
    spec: lab,
    identities: [...clients, ...servers],
    policies: [{ name: 'bench', from: clients, to: servers, traffic: ['tcp/8443', 'udp/5353'] }],
  });
  try {
    for (const [protocol, port, family] of [
      ['tcp', 8443, 4],
      ['udp', 5353, 6],
    ] as const) {
      const late: number[] = [];
      let lost = 0;
      for (const to of servers) {
        for (const from of clients) {
          const result = await world.prober.run({ from, to, protocol, port, family, expected: 'passed', timeoutMs: TIMEOUT_MS });
          if (result.seen === 'passed') late.push(result.milliseconds);
          else lost += 1;
        }
      }
      report({ what: `first ${protocol} exchange of a new pair`, unit: 'ms', samples: late });
      console.log(`first ${protocol} exchange of a new pair: ${lost} lost of ${late.length + lost}`);
    }
  } finally {
    await world.close();
  }
}

void main();
