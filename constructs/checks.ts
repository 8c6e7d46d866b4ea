import { Token } from 'cdktf';
import type { IConstruct } from 'constructs';
import { describeError, SymbolonError } from '#core/errors/error';
import { MAX_X509_SVID_TTL_SECONDS } from '#core/registration/entry';
import { parseDurationMs } from '#core/time/duration';

/** Refuses a prop of a construct: the message begins with the construct's path and the prop. */
export function refuseProp(scope: IConstruct, prop: string, value: string, why: string, cause?: unknown): never {
  const construct = scope.node.path;
  throw new SymbolonError('CONSTRUCT_INVALID', `${construct}: ${prop}: ${why}`, { construct, prop, value }, cause);
}

/** Checks the value of a prop with the function that parses it. A value that is known only at apply is left to the provider. */
export function checkProp(scope: IConstruct, prop: string, value: string | undefined, parse: (text: string) => unknown): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  try {
    parse(value);
  } catch (error) {
    refuseProp(scope, prop, value, describeError(error), error);
  }
}

/** As checkProp, for each value of a list. */
export function checkProps(scope: IConstruct, prop: string, values: readonly string[] | undefined, parse: (text: string) => unknown): void {
  if (values === undefined || Token.isUnresolved(values)) return;
  values.forEach((value, i) => checkProp(scope, `${prop}[${i}]`, value, parse));
}

/** Checks a lifetime: a duration of whole seconds, from one to 366 days. */
export function checkLifetime(scope: IConstruct, prop: string, value: string | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  const ms = parseDurationMs(value);
  if (ms === undefined || ms < 1000 || ms % 1000 !== 0 || ms > MAX_X509_SVID_TTL_SECONDS * 1000) {
    refuseProp(
      scope,
      prop,
      value,
      `${JSON.stringify(value)} is not a lifetime; write whole seconds, minutes or hours, at most 8784h, like "90s" or "1h30m"`,
    );
  }
}

/** The text of a prop that must be known when the program runs. */
export function knownText(scope: IConstruct, prop: string, value: string): string {
  if (Token.isUnresolved(value))
    refuseProp(scope, prop, '', 'it must be a plain text, known when the program runs; it is a value of Terraform');
  return value;
}

/** The texts sorted and each once, so that their order in the program never shows in the output. */
export function sortedTexts(values: readonly string[]): readonly string[] {
  return Token.isUnresolved(values) ? values : [...new Set(values)].sort();
}
