import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { formatAgentEndpoint, parseAgentEndpoint, splitHostAndPort } from '#core/registration/agent-endpoint';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** `192.0.2.1` or `2001:db8::1`. */
export const ADDRESS: TextRule = { check: parseIpAddress, canonical: (text) => parseIpAddress(text).text };

/** `10.1.0.0/16` or `2001:db8::/32`; host bits are refused with the prefix that was meant. */
export const ADDRESS_PREFIX: TextRule = { check: parseIpPrefix, canonical: (text) => parseIpPrefix(text).text };

/** `192.0.2.7:7420` or `[2001:db8::7]:7420`. */
export const ENDPOINT: TextRule = {
  check: parseAgentEndpoint,
  canonical: (text) => formatAgentEndpoint(parseAgentEndpoint(text)),
};

/** Like an endpoint, but a host name will do, too. */
export const HOST_AND_PORT: TextRule = {
  check: (text) => {
    const { host } = splitHostAndPort(text);
    if (/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252}[a-zA-Z0-9])?$/.test(host) && !/^[\d.]+$/.test(host)) return;
    parseIpAddress(host);
  },
};
