import { expect, test } from '@jest/globals';
import { parseLabFile } from './spec-file.ts';
import { planFarEnd, planHostSide, planRouter } from './topology.ts';

const spec = parseLabFile(`
trustDomain: east.example
authority: { addresses: [192.0.2.1] }
operator: { addresses: [192.0.2.2] }
router: { addresses: [192.0.2.254] }
nodes:
  a: { addresses: [198.51.100.1, '2001:db8::1'], prefixes: [10.1.0.0/24, 'fd00:1::/64'], workloads: { web: { uid: 1, addresses: [10.1.0.2] } } }
`);

test('the router has a link to every place and routes a node’s prefixes through its uplink address', () => {
  const lines = planRouter(spec, (place) => ({ authority: 11, operator: 12, a: 13 })[place] ?? 0);
  expect(lines.filter((l) => l.startsWith('link add'))).toEqual([
    'link add to-authority type veth peer name eth0 netns 11',
    'link add to-operator type veth peer name eth0 netns 12',
    'link add to-a type veth peer name eth0 netns 13',
  ]);
  expect(lines).toContain('route replace 10.1.0.0/24 via 198.51.100.1 dev to-a onlink src 192.0.2.254');
  expect(lines).toContain('route replace fd00:1::/64 via 2001:db8::1 dev to-a onlink');
});

test('no address of a lab is wider than one host, so that no two places share a layer 2', () => {
  const node = spec.nodes[0];
  const web = node?.workloads[0];
  const lines = [...planRouter(spec, () => 1), ...planFarEnd(node?.addresses ?? [], 'router'), ...(web ? planHostSide(web, []) : [])];
  const widths = lines.filter((l) => l.startsWith('addr') && !l.includes('fe80:')).map((l) => /\/(\d+) /.exec(l)?.[1]);
  expect(widths.length).toBeGreaterThan(5);
  expect(new Set(widths)).toEqual(new Set(['32', '128']));
});

test('a node answers router and workloads from different addresses', () => {
  const gateway = (lines: readonly string[]): string | undefined => lines.map((l) => /via (169\S+)/.exec(l)?.[1]).find((a) => a);
  const addresses = spec.nodes[0]?.addresses ?? [];
  expect(gateway(planFarEnd(addresses, 'router'))).not.toBe(gateway(planFarEnd(addresses, 'node')));
});
