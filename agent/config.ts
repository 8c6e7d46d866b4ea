import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parsePort } from '#core/network/flow';
import type { X509Bundle } from '#core/spiffe/bundle';
import { parseBundleText } from '#core/spiffe/bundle-text';
import { parseTrustDomain, type TrustDomain } from '#core/spiffe/id';
import { LOG_LEVELS, type LogLevel } from '#daemon/log';
import { readOptionFile } from '#daemon/option-file';

/** Where peers dial this agent: a port of its own. */
export const DEFAULT_LISTEN_PORT = 7420;
export const DEFAULT_DATA_DIRECTORY = '/var/lib/symbolon-agent';
export const DEFAULT_RUN_DIRECTORY = '/run/symbolon';
export const DEFAULT_PIN_DIRECTORY = '/sys/fs/bpf/symbolon';

/** The agent's whole configuration, read once at the start. */
export interface AgentConfig {
  readonly trustDomain: TrustDomain;
  /** `host:port` of the authority. */
  readonly authority: string;
  /** The trust domain's authorities, trusted for the first contact only. */
  readonly bootstrapBundle: X509Bundle | undefined;
  /** The one-time token, or undefined where the node has joined before. */
  readonly joinToken: string | undefined;
  readonly dataDirectory: string;
  readonly runDirectory: string;
  readonly pinDirectory: string;
  readonly listenPort: number;
  /** Names of the node's uplinks; empty = those of the routes that leave the node. */
  readonly uplinks: readonly string[];
  readonly bpfObject: string;
  readonly logLevel: LogLevel;
}

/** The command line's options, as text. */
export interface AgentOptions {
  readonly trustDomain: string;
  readonly authority: string;
  readonly bootstrapBundle?: string;
  readonly joinTokenFile?: string;
  readonly data: string;
  readonly run: string;
  readonly bpffs: string;
  readonly listenPort: string;
  readonly uplink: readonly string[];
  readonly logLevel: string;
}

/** The token in the file. A file that is gone is no token: it is used once, and may be removed after that. */
function readToken(path: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  const text =
    path === undefined
      ? environment['SYMBOLON_JOIN_TOKEN']
      : existsSync(path)
        ? readOptionFile('--join-token-file', path, String)
        : undefined;
  return text?.trim() || undefined;
}

function readBootstrapBundle(path: string | undefined, trustDomain: TrustDomain): X509Bundle | undefined {
  return path === undefined ? undefined : readOptionFile('--bootstrap-bundle', path, (text) => parseBundleText(text, trustDomain));
}

function checkAuthority(text: string): string {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const fail = (why: string, cause?: unknown): never => {
    throw new SymbolonError(
      'CONFIG_INVALID',
      `--authority ${JSON.stringify(text)} ${why}; write it like 192.0.2.1:7400 or [2001:db8::1]:7400`,
      {
        path: '--authority',
        value: text,
      },
      cause,
    );
  };
  if (colon < 1) return fail('has no port');
  try {
    parsePort(Number(text.slice(colon + 1)));
    if (/^[0-9.:a-fA-F]+$/.test(host)) parseIpAddress(host);
  } catch (error) {
    return fail('is no address and port', error);
  }
  return text;
}

/** Checks the options and reads the files they name. Throws CONFIG_INVALID, or the parser's own error. */
export function readAgentConfig(options: AgentOptions, environment: NodeJS.ProcessEnv, bundleDirectory: string): AgentConfig {
  const level = LOG_LEVELS.find((known) => known === options.logLevel);
  if (!level) {
    throw new SymbolonError(
      'CONFIG_INVALID',
      `--log-level ${JSON.stringify(options.logLevel)} is unknown; expected ${LOG_LEVELS.join(', ')}`,
      {
        path: '--log-level',
        value: options.logLevel,
      },
    );
  }
  const trustDomain = parseTrustDomain(options.trustDomain);
  return {
    trustDomain,
    authority: checkAuthority(options.authority),
    bootstrapBundle: readBootstrapBundle(options.bootstrapBundle, trustDomain),
    joinToken: readToken(options.joinTokenFile, environment),
    dataDirectory: options.data,
    runDirectory: options.run,
    pinDirectory: options.bpffs,
    listenPort: parsePort(Number(options.listenPort)),
    uplinks: options.uplink,
    bpfObject: environment['SYMBOLON_BPF_OBJECT'] ?? join(bundleDirectory, 'gate.o'),
    logLevel: level,
  };
}
