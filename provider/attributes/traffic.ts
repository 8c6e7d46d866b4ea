import { parseTraffic } from '#core/policy/traffic';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** `tcp/8443`, `udp/5000-5100`, `icmp`, `protocol/132`, `any`. */
export const TRAFFIC: TextRule = {
  check: parseTraffic,
  canonical: (text) => {
    const { protocol, lowPort, highPort } = parseTraffic(text);
    return [protocol, lowPort, highPort].join('/');
  },
};
