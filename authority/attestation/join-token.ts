import { randomBytes } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import type { NodeBody } from '../registry/node.ts';
import { findAgent } from '../store/agents.ts';
import { deleteExpiredJoinTokens, insertJoinToken } from '../store/join-tokens.ts';
import { findObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';

/** SPIRE's default. */
const DEFAULT_TTL_SECONDS = 600;
const MAX_TTL_SECONDS = 24 * 3600;
const TOKEN_BYTES = 32;

export interface JoinToken {
  readonly value: string;
  readonly expiresAtSeconds: number;
}

/**
 * Makes a one-time token by which its bearer becomes the node. Only for a declared node that may join by token and is not banned; older tokens
 * of the node stay valid. Throws NOT_FOUND, PERMISSION_DENIED, REQUEST_INVALID.
 */
export async function createJoinToken(tx: StoreTransaction, node: string, ttlSeconds: number, atSeconds: number): Promise<JoinToken> {
  if (ttlSeconds < 0 || ttlSeconds > MAX_TTL_SECONDS) {
    throw new SymbolonError(
      'REQUEST_INVALID',
      `a token lives 0 (the default, ${DEFAULT_TTL_SECONDS}) to ${MAX_TTL_SECONDS} seconds, not ${ttlSeconds}`,
      {
        field: 'ttl',
        value: String(ttlSeconds),
      },
    );
  }
  const [declared] = await findObjects<NodeBody>(tx, 'node', 'name', node);
  if (!declared) {
    throw new SymbolonError('NOT_FOUND', `the node ${JSON.stringify(node)} is not declared; declare it (symbolon_node) before it joins`, {
      what: node,
    });
  }
  const methods = declared.body.attestationMethods;
  if (methods.length > 0 && !methods.includes('join_token')) {
    throw new SymbolonError('PERMISSION_DENIED', `the node ${node} may join by ${methods.join(', ')}, not by join_token`, { what: node });
  }
  if ((await findAgent(tx, node))?.banned) {
    throw new SymbolonError('PERMISSION_DENIED', `the node ${node} is banned; evict it (spire-server agent evict) to let it join again`, {
      what: node,
    });
  }
  await deleteExpiredJoinTokens(tx, atSeconds);
  const token = { value: randomBytes(TOKEN_BYTES).toString('hex'), expiresAtSeconds: atSeconds + (ttlSeconds || DEFAULT_TTL_SECONDS) };
  await insertJoinToken(tx, token.value, node, token.expiresAtSeconds);
  return token;
}
