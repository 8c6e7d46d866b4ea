import { SymbolonError } from '#core/errors/error';
import { MAX_X509_SVID_TTL_SECONDS } from '#core/registration/entry';
import { parseDurationMs } from '#core/time/duration';
import type { TextRule } from '../plugin/schema/attribute.ts';

const MAX_SECONDS_MS = MAX_X509_SVID_TTL_SECONDS * 1000;

/** Milliseconds of a duration that its rule has accepted. */
export function durationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) {
    throw new SymbolonError('CONFIG_INVALID', `${JSON.stringify(text)} is not a duration; write it like "90s", "10m" or "1h30m"`, {
      path: 'duration',
      value: text,
    });
  }
  return ms;
}

/** A duration of whole seconds, at least one and at most 366 days: what SVID lifetimes are counted in. */
export const SECONDS: TextRule = {
  check: (text) => {
    const ms = durationMs(text);
    if (ms < 1000 || ms % 1000 !== 0 || ms > MAX_SECONDS_MS) {
      throw new SymbolonError('CONFIG_INVALID', `${JSON.stringify(text)} is out of range; expected whole seconds, from 1s to 8784h`, {
        path: 'duration',
        value: text,
      });
    }
  },
  canonical: (text) => String(durationMs(text)),
};

/** How long to wait for something: at most an hour. */
export const TIMEOUT: TextRule = {
  check: (text) => {
    if (durationMs(text) > 3_600_000) {
      throw new SymbolonError('CONFIG_INVALID', `${JSON.stringify(text)} is longer than an hour; expected something like "10s"`, {
        path: 'duration',
        value: text,
      });
    }
  },
};
