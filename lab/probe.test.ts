import { expect, test } from '@jest/globals';
import { countPackets } from './probe/counts.ts';
import { judge } from './probe.ts';

const none = { tcp: 0, udp: 0, echo: 0 };

test.each([
  ['answered', none, 'passed'],
  ['answered', { ...none, udp: 1 }, 'passed'],
  ['error', none, 'refused'],
  ['error', { ...none, udp: 1 }, 'delivered'],
  ['silence', none, 'nothing'],
  ['silence', { ...none, udp: 1 }, 'delivered'],
  ['silence', { ...none, tcp: 1 }, 'nothing'],
] as const)('udp: %s, and %j arrived: %s', (kind, after, seen) => {
  expect(judge({ kind, ms: 1 }, none, after, 'udp')).toBe(seen);
});

test('packets of both families are counted, wanted or not', () => {
  const snmp = 'Icmp: InMsgs InEchos\nIcmp: 9 2\nTcp: InSegs OutSegs\nTcp: 7 1\nUdp: InDatagrams NoPorts InErrors\nUdp: 1 2 4\n';
  const snmp6 = 'Icmp6InEchos                     \t3\nUdp6InDatagrams                  \t10\nUdp6NoPorts   \t20\nUdp6InErrors  \t40\n';
  expect(countPackets(snmp, snmp6)).toEqual({ tcp: 7, udp: 77, echo: 5 });
});
