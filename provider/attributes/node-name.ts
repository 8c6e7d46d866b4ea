import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import type { TextRule } from '../plugin/schema/attribute.ts';

const ANY_TRUST_DOMAIN = parseTrustDomain('any.example');

/** A node's name: the last segment of its SPIFFE ID. */
export const NODE_NAME: TextRule = { check: (text) => nodeSpiffeId(ANY_TRUST_DOMAIN, text) };
