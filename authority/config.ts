import { join, resolve } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { parseTrustDomain, type TrustDomain } from '#core/spiffe/id';
import { LOG_LEVELS, type LogLevel } from '#daemon/log';

/** Everything that an authority is told when it starts. What Terraform owns (lifetimes, enforcement, prefixes) has no flag. */
export interface AuthorityConfig {
  readonly trustDomain: TrustDomain;
  /** Holds the CA's key and the store. */
  readonly dataFolder: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly adminSocket: string;
  readonly metricsSocket: string;
  readonly logLevel: LogLevel;
}

/** The serve command's flags as they are typed. */
export interface ServeFlags {
  readonly trustDomain: string;
  readonly data: string;
  readonly listen: string;
  readonly adminSocket?: string;
  readonly logLevel?: string;
}

/** Where admin commands look for the socket unless told otherwise. */
export const DEFAULT_DATA_FOLDER = '/var/lib/symbolon-authority';
export const DEFAULT_LISTEN = '0.0.0.0:7400';
export const ADMIN_SOCKET_NAME = 'admin.sock';

function invalid(path: string, value: string, why: string): never {
  throw new SymbolonError('CONFIG_INVALID', `--${path} ${JSON.stringify(value)} ${why}`, { path, value });
}

function parseListen(text: string): AuthorityConfig['listen'] {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (!match || !(port <= 65_535)) return invalid('listen', text, 'is not an address and port; write it like 192.0.2.1:7400 or [::]:7400');
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Checks the flags of `serve`. Throws CONFIG_INVALID, TRUST_DOMAIN_INVALID. */
export function authorityConfig(flags: ServeFlags): AuthorityConfig {
  const dataFolder = resolve(flags.data);
  const logLevel = LOG_LEVELS.find((level) => level === (flags.logLevel ?? 'info'));
  if (!logLevel) return invalid('log-level', flags.logLevel ?? '', `is unknown; expected ${LOG_LEVELS.join(', ')}`);
  return {
    trustDomain: parseTrustDomain(flags.trustDomain),
    dataFolder,
    listen: parseListen(flags.listen),
    adminSocket: resolve(flags.adminSocket ?? join(dataFolder, ADMIN_SOCKET_NAME)),
    metricsSocket: join(dataFolder, 'metrics.sock'),
    logLevel,
  };
}
