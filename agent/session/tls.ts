import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { tlsIdentity } from '#daemon/tls/credential';
import { KEY_EXCHANGE_GROUPS } from '#daemon/tls/key-exchange';
import type { Credential } from '../proof/contract.ts';

/** Versioned: an agent that speaks another version of the protocol does not get past the handshake. */
export const SESSION_ALPN = 'symbolon-pair/1';
/** A handshake that takes longer is given up. */
export const HANDSHAKE_TIMEOUT_MS = 5000;

/**
 * TLS 1.3 alone, with the node's SVID, without tickets. `ca` is empty and OpenSSL's chain check off: it would pool the authorities of all
 * trust domains. Whoever uses this verifies the peer by `verifyNodePeer` before a byte is handled.
 */
export function sessionTlsOptions(credential: Credential, groups = KEY_EXCHANGE_GROUPS): SecureContextOptions {
  return {
    ...tlsIdentity({ chain: credential.svid.chain, privateKey: credential.privateKey }),
    ca: [],
    ecdhCurve: groups,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
