import { SymbolonError } from '#core/errors/error';
import { formatSelector, type Selector } from './selector.ts';

/** The kernel's largest user or group number; the next one, -1, stands for none (setuid(2)). */
const MAX_ID = 2 ** 32 - 2;
/** What agent/attestation/process.ts makes of a process: other selectors match nothing. */
const FORMS = 'unix:uid:N, unix:gid:N, unix:supplementary_gid:N or cgroup:path:/a/b';

function problemOf({ type, value }: Selector): string | undefined {
  const number = type === 'unix' ? /^(?:uid|gid|supplementary_gid):(.*)$/.exec(value)?.[1] : undefined;
  if (number !== undefined) {
    const isCanonical = /^(?:0|[1-9]\d{0,9})$/.test(number) && Number(number) <= MAX_ID;
    return isCanonical ? undefined : `has the number ${JSON.stringify(number)}; expected 0 to ${MAX_ID}, in digits without leading zeros`;
  }
  const path = type === 'cgroup' && value.startsWith('path:') ? value.slice('path:'.length) : undefined;
  if (path === undefined) return `is of a kind that no agent attests; expected ${FORMS}`;
  const isPath =
    path.startsWith('/') &&
    path
      .slice(1)
      .split('/')
      .every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  return isPath ? undefined : 'has no path of a cgroup below the root; expected one like cgroup:path:/apps/web, without a slash at its end';
}

/**
 * Refuses a selector that no agent can find on a process, so that nothing would ever match it. Throws SELECTOR_INVALID. Authorities take them all the
 * same: SPIRE's clients register what other attestors find, too.
 */
export function checkAttestable(selector: Selector): void {
  const problem = problemOf(selector);
  if (problem === undefined) return;
  const text = formatSelector(selector);
  throw new SymbolonError('SELECTOR_INVALID', `the selector ${JSON.stringify(text)} ${problem}`, { value: text });
}
