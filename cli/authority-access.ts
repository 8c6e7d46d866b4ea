import { existsSync, readFileSync } from 'node:fs';
import type { Client } from '@grpc/grpc-js';
import type { Command } from 'commander';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { checkAdminSvid } from '#core/registration/admin-svid';
import { authoritySpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { parseBundleText } from '#core/spiffe/bundle-text';
import { verifyX509SvidAs } from '#core/spiffe/verify-as';
import { instantFromMs } from '#core/time/instant';
import { type Dial, dialMtls, dialUnix, openClient } from '#daemon/grpc/dial';
import { credentialFromPem } from '#daemon/tls/credential';
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
    // grpc-js tells the one thing that helps in the middle of much else
    const reason = /Last error: (?:\w*Error: )?(.*?)\. Resolution note/.exec(error.message)?.[1] ?? error.message;
    throw new SymbolonError('UNAVAILABLE', `the authority cannot be reached at ${where} (${reason}); is it running there?`, {
      what: where,
    });
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
  const file = (option: 'cert' | 'key' | 'bundle'): string => {
    const path = flags[option];
    if (path === undefined) throw new UsageError(`--authority needs --${option} as well`);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new SymbolonError('CONFIG_INVALID', `--${option} ${path} cannot be read`, { path: `--${option}`, value: path }, error);
    }
  };
  if (flags.trustDomain === undefined) throw new UsageError('--authority needs --trust-domain as well');
  const trustDomain = parseTrustDomain(flags.trustDomain);
  const credential = credentialFromPem(file('cert'), file('key'));
  checkAdminSvid(credential.chain, trustDomain, instantFromMs(Date.now()));
  const bundles = new Map([[trustDomain, parseBundleText(file('bundle'), trustDomain)]]);
  const wanted = authoritySpiffeId(trustDomain);
  return dialMtls({
    address,
    credential: () => credential,
    verifyServer: (chain) => verifyX509SvidAs(wanted, chain, bundles, instantFromMs(Date.now())),
  });
}
