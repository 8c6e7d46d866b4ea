import { existsSync } from 'node:fs';
import type { Client } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { checkAdminSvid } from '#core/registration/admin-svid';
import { authoritySpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { parseBundleText } from '#core/spiffe/bundle-text';
import { certificatesFromPem } from '#core/spiffe/pem';
import { verifyX509SvidAs } from '#core/spiffe/verify-as';
import { instantFromMs } from '#core/time/instant';
import { type Dial, dialMtls, dialUnix, openClient } from '#daemon/grpc/dial';
import { unreachableReason } from '#daemon/grpc/status';
import { readOptionFile } from '#daemon/option-file';
import { credentialOf } from '#daemon/tls/credential';
import { UsageError } from '#daemon/exit';
import { openLab } from '#lab/lab';

/** Which authority is meant, as flags say it. */
export interface AuthorityFlags {
  readonly adminSocket?: string;
  readonly authority?: string;
  readonly trustDomain?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly bundle?: string;
}

/** Adds the flags by which a command reaches an authority. */
export function withAuthorityFlags(command: Command): Command {
  return command
    .option('--admin-socket <PATH>', "the authority's admin socket (default: that of the lab of this checkout)")
    .option('--authority <ADDRESS:PORT>', 'the authority over mTLS, with --trust-domain, --cert, --key and --bundle')
    .option('--trust-domain <NAME>', 'whose authority it must prove to be')
    .option('--cert <FILE>', "an administrator's or reader's SVID, PEM (symbolon authority admin-svid)")
    .option('--key <FILE>', 'its private key, PEM')
    .option(
      '--bundle <FILE>',
      "the trust domain's bundle, PEM or SPIFFE JSON (symbolon authority bundle show), or a SPIFFE bundle map that has it",
    );
}

/** Asks an authority; the connection ends with the answer. Throws UsageError for flags that do not fit together, UNAVAILABLE if nobody answers. */
export async function askAuthority<T>(flags: AuthorityFlags, ask: (client: Client) => Promise<T>): Promise<T> {
  const dial = dialOf(flags);
  const client = openClient(dial);
  try {
    return await ask(client);
  } catch (error) {
    if (!isSymbolonError(error, 'UNAVAILABLE')) throw error;
    const where = flags.authority ?? dial.target.replace(/^unix:/, '');
    throw new SymbolonError(
      'UNAVAILABLE',
      `the authority cannot be reached at ${where} (${unreachableReason(error)}); is it running there?`,
      {
        what: where,
      },
    );
  } finally {
    client.close();
  }
}

function dialOf(flags: AuthorityFlags): Dial {
  if (flags.authority !== undefined) {
    if (flags.adminSocket !== undefined) throw new UsageError('--admin-socket and --authority exclude each other');
    return mtlsDialOf(flags, flags.authority);
  }
  const path = flags.adminSocket ?? openLab().authority.adminSocket;
  if (existsSync(path)) return dialUnix(path);
  throw new SymbolonError('UNAVAILABLE', `no authority listens on ${path}; start it, or name its socket with --admin-socket`, {
    what: path,
  });
}

function mtlsDialOf(flags: AuthorityFlags, address: string): Dial {
  const { trustDomain: domain } = flags;
  const fileOf = (option: 'cert' | 'key' | 'bundle'): string => {
    const path = flags[option];
    if (path === undefined) throw new UsageError(`--authority needs --${option} as well`);
    return path;
  };
  const files = { cert: fileOf('cert'), key: fileOf('key'), bundle: fileOf('bundle') };
  if (domain === undefined) throw new UsageError('--authority needs --trust-domain as well');
  const trustDomain = parseTrustDomain(domain);
  const chain = readOptionFile('--cert', files.cert, certificatesFromPem);
  const credential = readOptionFile('--key', files.key, (key) => credentialOf(chain, key));
  checkAdminSvid(chain, trustDomain, instantFromMs(Date.now()));
  const bundle = readOptionFile('--bundle', files.bundle, (text) => parseBundleText(text, trustDomain));
  const bundles = new Map([[trustDomain, bundle]]);
  const wanted = authoritySpiffeId(trustDomain);
  return dialMtls({
    address,
    credential: () => credential,
    verifyServer: (chain) => verifyX509SvidAs(wanted, chain, bundles, instantFromMs(Date.now())),
  });
}
