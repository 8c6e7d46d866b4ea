import { readFileSync } from 'node:fs';
import type { PacketCounts } from '../probe-protocol.ts';

/** Reads /proc/net/snmp and snmp6: what has reached this network namespace's stack, whether somebody listened or not. */
export function readPacketCounts(): PacketCounts {
  return countPackets(readFileSync('/proc/self/net/snmp', 'utf8'), readFileSync('/proc/self/net/snmp6', 'utf8'));
}

/** The counts in the texts of the two files. TCP's counter is shared by both families. */
export function countPackets(snmp: string, snmp6: string): PacketCounts {
  const v4 = parseSnmp(snmp);
  const v6 = new Map(
    snmp6.split('\n').map((line) => {
      const [name = '', value = ''] = line.split(/\s+/);
      return [name, Number(value)] as const;
    }),
  );
  const sum = (...values: readonly (number | undefined)[]): number => values.reduce<number>((total, v) => total + (v ?? 0), 0);
  return {
    tcp: sum(v4.get('Tcp.InSegs')),
    udp: sum(
      v4.get('Udp.InDatagrams'),
      v4.get('Udp.NoPorts'),
      v4.get('Udp.InErrors'),
      v6.get('Udp6InDatagrams'),
      v6.get('Udp6NoPorts'),
      v6.get('Udp6InErrors'),
    ),
    echo: sum(v4.get('Icmp.InEchos'), v6.get('Icmp6InEchos')),
  };
}

/** Pairs of lines, names then values: `Tcp: RtoAlgorithm …` and `Tcp: 1 …`. */
function parseSnmp(text: string): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  const lines = text.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [group = '', ...names] = (lines[i] ?? '').split(' ');
    const values = (lines[i + 1] ?? '').split(' ').slice(1);
    names.forEach((name, at) => out.set(`${group.replace(':', '')}.${name}`, Number(values[at])));
  }
  return out;
}
