import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parsePort } from '#core/network/flow';
import { parseIpPrefix } from '#core/network/prefix';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** `192.0.2.1` or `2001:db8::1`. */
export const ADDRESS: TextRule = { check: parseIpAddress, canonical: (text) => parseIpAddress(text).text };

/** `10.1.0.0/16` or `2001:db8::/32`; host bits are refused with the prefix that was meant. */
export const ADDRESS_PREFIX: TextRule = { check: parseIpPrefix, canonical: (text) => parseIpPrefix(text).text };

function splitEndpoint(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match) {
    throw new SymbolonError(
      'ADDRESS_INVALID',
      `${JSON.stringify(text)} is not an address with a port; write it like 192.0.2.7:7420 or [2001:db8::7]:7420`,
      {
        value: text,
      },
    );
  }
  return { host: match[1] ?? match[2] ?? '', port: parsePort(Number(match[3])) };
}

function parseEndpoint(text: string): string {
  const { host, port } = splitEndpoint(text);
  const address = parseIpAddress(host);
  return address.family === 6 ? `[${address.text}]:${port}` : `${address.text}:${port}`;
}

/** `192.0.2.7:7420` or `[2001:db8::7]:7420`. */
export const ENDPOINT: TextRule = { check: parseEndpoint, canonical: parseEndpoint };

/** Like an endpoint, but a host name will do, too. */
export const HOST_AND_PORT: TextRule = {
  check: (text) => {
    const { host } = splitEndpoint(text);
    if (/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?$/.test(host) && !/^[\d.]+$/.test(host)) return;
    parseIpAddress(host);
  },
};
