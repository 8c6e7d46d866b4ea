import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parsePort, type Port } from '#core/network/flow';
import type { AgentEndpoint } from './directory.ts';

/** The parts of `192.0.2.7:7420`, `[2001:db8::7]:7420` or `host.example:7420`; what the host is, is not looked at. Throws ADDRESS_INVALID, PORT_INVALID. */
export function splitHostAndPort(text: string): { readonly host: string; readonly port: Port } {
  const match = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) {
    throw new SymbolonError(
      'ADDRESS_INVALID',
      `${JSON.stringify(text)} is not an address with a port; write it like 192.0.2.7:7420 or [2001:db8::7]:7420`,
      { value: text },
    );
  }
  return { host: match[1] ?? match[2] ?? '', port: parsePort(Number(match[3])) };
}

/** Parses where an agent listens: `192.0.2.7:7420` or `[2001:db8::7]:7420`. Throws ADDRESS_INVALID, PORT_INVALID. */
export function parseAgentEndpoint(text: string): AgentEndpoint {
  const { host, port } = splitHostAndPort(text);
  return { address: parseIpAddress(host), port };
}

/** The text form; the inverse of parseAgentEndpoint. */
export function formatAgentEndpoint({ address, port }: AgentEndpoint): string {
  return address.family === 6 ? `[${address.text}]:${port}` : `${address.text}:${port}`;
}
