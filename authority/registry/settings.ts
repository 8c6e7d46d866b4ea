import { SymbolonError } from '#core/errors/error';
import { parseIpPrefix } from '#core/network/prefix';
import { listObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { DEFAULT_SETTINGS, readSettings, type Settings, type SettingsBody, writeSettings } from '../store/settings.ts';
import { canonicalJson, canonicalSet } from './canonical.ts';
import { checkTtl } from './identity.ts';
import { byWhom, checkGeneration, isOwn, type Wish } from './mutate.ts';
import { checkInside, type NodeBody } from './node.ts';

/** Lifetime of an SVID where neither the identity nor the trust domain says otherwise: SPIRE's. */
export const DEFAULT_SVID_TTL_SECONDS = 3600;

/**
 * Declares the trust domain's settings. The first to do so adopts the running authority. Without an expected generation nobody changes what is
 * adopted: only the same owner may declare the same again, after an interrupted apply; else it throws ALREADY_EXISTS. Throws CONFLICT if they changed
 * since they were read, ENTRY_INVALID for what is wrong, and if a node's prefixes would lie outside.
 */
export async function declareSettings(
  tx: StoreTransaction,
  trustDomain: string,
  wish: Wish<SettingsBody>,
  expectedGeneration: bigint | undefined,
): Promise<Settings> {
  const found = await readSettings(tx);
  const what = `the settings of the trust domain ${trustDomain}`;
  checkGeneration(what, found.ownership, expectedGeneration);
  const body = canonicalSettings(wish.input);
  if (found.adopted && expectedGeneration === undefined && !isOwn(found, wish.owner, body)) {
    const differs = canonicalJson(found.body) === canonicalJson(body) ? '' : ' with different content';
    throw new SymbolonError(
      'ALREADY_EXISTS',
      `${what} are declared already${differs}, ${byWhom(found.ownership)}; to take them over: terraform import <address> ${trustDomain}`,
      { what: trustDomain },
    );
  }
  for (const node of await listObjects<NodeBody>(tx, 'node')) {
    checkInside(node.body.addressPrefixes.map(parseIpPrefix), body.addressPrefixes, `the declared node ${node.body.name}`);
  }
  const settings = { body, ownership: { owner: wish.owner, generation: found.ownership.generation + 1n }, adopted: true };
  await writeSettings(tx, settings);
  return settings;
}

/** Back to the defaults, adopted by nobody. Keys and everything else stay. Throws CONFLICT. */
export async function resetSettings(tx: StoreTransaction, trustDomain: string, expectedGeneration: bigint | undefined): Promise<void> {
  const found = await readSettings(tx);
  checkGeneration(`the settings of the trust domain ${trustDomain}`, found.ownership, expectedGeneration);
  await writeSettings(tx, {
    body: DEFAULT_SETTINGS,
    ownership: { owner: '', generation: found.ownership.generation + 1n },
    adopted: false,
  });
}

function canonicalSettings(input: SettingsBody): SettingsBody {
  checkTtl(input.x509SvidTtlSeconds);
  return { ...input, addressPrefixes: canonicalSet(input.addressPrefixes.map((text) => parseIpPrefix(text).text)) };
}
