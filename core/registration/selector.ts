import { SymbolonError } from '#core/errors/error';

/** Something that attestation finds on a workload: `{type: 'unix', value: 'uid:1001'}`, in SPIRE's text form `unix:uid:1001`. */
export interface Selector {
  readonly type: string;
  readonly value: string;
}

/** Parses `type:value`; only the first colon separates. Throws SELECTOR_INVALID. */
export function parseSelector(text: string): Selector {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || !/^[a-z0-9_-]+$/.test(text.slice(0, colon))) {
    throw new SymbolonError('SELECTOR_INVALID', `${JSON.stringify(text)} is not a selector; write it as type:value, like unix:uid:1001`, {
      value: text,
    });
  }
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** The text form, `type:value`. */
export function formatSelector(selector: Selector): string {
  return `${selector.type}:${selector.value}`;
}

/** True if every wanted selector is among those found. */
export function selectorsMatch(wanted: readonly Selector[], found: readonly Selector[]): boolean {
  const have = new Set(found.map(formatSelector));
  return wanted.length > 0 && wanted.every((s) => have.has(formatSelector(s)));
}
