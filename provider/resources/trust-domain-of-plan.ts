import type { TrustDomain } from '#core/spiffe/id';
import { parseTrustDomain } from '#core/spiffe/id';
import type { Connections } from '../authority/connections.ts';
import type { Report } from '../plugin/diagnostic.ts';
import { formatPath, type Path } from '../plugin/path.ts';

/** Reports, at plan, an object of a trust domain that the provider has no authority for. */
export function checkHasAuthority(trustDomain: TrustDomain | undefined, path: Path, connections: Connections, report: Report): void {
  if (trustDomain === undefined || connections.mayHave(trustDomain)) return;
  report.error(`No authority of ${trustDomain}`, `${formatPath(path)}: ${connections.missing(trustDomain).message}.`, path);
}

/** A trust domain attribute's value, if it is known. */
export function knownDomain(value: unknown): TrustDomain | undefined {
  return typeof value === 'string' ? parseTrustDomain(value) : undefined;
}
