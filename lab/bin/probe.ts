// Runs inside a workload, as the workload: sends, answers and counts what it is told on stdin. Times are taken here, so that no start-up counts.
import { createInterface } from 'node:readline';
import { assertNever } from '#core/errors/error';
import { ProbeConnections } from '../probe/connections.ts';
import { readPacketCounts } from '../probe/counts.ts';
import { sendEcho } from '../probe/echo.ts';
import { listen } from '../probe/listen.ts';
import { sendTcp } from '../probe/tcp.ts';
import { sendUdp } from '../probe/udp.ts';
import type { Arrival, ProbeCommand, ProbeReply } from '../probe-protocol.ts';

const say = (message: ProbeReply | Arrival): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
const connections = new ProbeConnections();

async function obey(id: number, command: ProbeCommand): Promise<ProbeReply> {
  switch (command.do) {
    case 'listen':
      await listen(command.protocol, command.port, say);
      return { id, done: true };
    case 'send':
      return { id, outcome: await { tcp: sendTcp, udp: sendUdp, echo: sendEcho }[command.protocol](command, command.nonce) };
    case 'connect':
      return { id, outcome: await connections.open(command.connection, command) };
    case 'exchange':
      return { id, outcome: await connections.exchange(command.connection, command.nonce, command.timeoutMs) };
    case 'disconnect':
      connections.close(command.connection);
      return { id, done: true };
    case 'count':
      return { id, counts: readPacketCounts() };
    default:
      return assertNever(command);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, ...command } = JSON.parse(line) as ProbeCommand & { readonly id: number };
    obey(id, command as ProbeCommand).then(say, (error: unknown) => say({ id, failed: String(error) }));
  })
  .on('close', () => process.exit(0));
