import type { PlaceLimits } from './places.ts';

/** What one connection may ask of a server. */
export interface ConnectionLimits {
  /** A request larger than this is refused before it is read. */
  readonly requestBytes: number;
  /** Calls at the same time. */
  readonly calls: number;
}

/** What a server on a unix socket gives its callers. */
export interface UnixLimits {
  readonly connections: PlaceLimits;
  readonly connection: ConnectionLimits;
}

/** One of many users of a machine gets an eighth. */
export const UNIX_LIMITS: UnixLimits = {
  connections: { all: 4096, ofOne: 512, givesWay: 'newcomer' },
  connection: { requestBytes: 4 * 1024 * 1024, calls: 256 },
};

/** What a TLS server gives its callers. Strangers are those who have proven nothing, or nothing that matters here. */
export interface TlsLimits {
  /** Handshakes under way, by address: nobody is known yet. */
  readonly handshakes: PlaceLimits;
  /** By address. */
  readonly strangers: PlaceLimits;
  readonly stranger: ConnectionLimits;
  /** A stranger's connection is closed after this, whatever it does. */
  readonly strangerLifetimeMs: number;
  /** By SPIFFE ID. */
  readonly known: PlaceLimits;
  readonly connection: ConnectionLimits;
}

/**
 * 4096 connections in all. A handshake costs about 1 ms of everybody's time, so those that may be under way are also the longest that a crowd
 * can hold up the others. A stranger has one thing to ask, in less than 5 kB; the most that anybody asks is a node's 500 certificates, in less than
 * 1 MB for the largest keys. What is being received is kept in memory: no caller may fill it.
 */
export const TLS_LIMITS: TlsLimits = {
  handshakes: { all: 256, ofOne: 32, givesWay: 'oldest' },
  strangers: { all: 256, ofOne: 32, givesWay: 'oldest' },
  stranger: { requestBytes: 16 * 1024, calls: 4 },
  strangerLifetimeMs: 30_000,
  known: { all: 3584, ofOne: 32, givesWay: 'newcomer' },
  connection: { requestBytes: 1024 * 1024, calls: 64 },
};
