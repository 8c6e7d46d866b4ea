import type { ErrorCode, ErrorContexts } from './codes.ts';

/**
 * The one error class of the project. `message` says what happened with the value, what was expected and what to do;
 * it never holds a key or a token.
 */
export class SymbolonError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SymbolonError';
  readonly code: Code;
  readonly context: ErrorContexts[Code];

  constructor(code: Code, message: string, context: ErrorContexts[Code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.context = context;
  }
}

/** True for a SymbolonError; with `code`, for one of that code. */
export function isSymbolonError<Code extends ErrorCode = ErrorCode>(error: unknown, code?: Code): error is SymbolonError<Code> {
  return error instanceof SymbolonError && (code === undefined || error.code === code);
}

/** Whatever was thrown, as text for a person: the message, then that of each cause that has one. */
export function describeError(error: unknown): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  for (let cause = error; cause !== undefined || texts.length === 0; ) {
    // Causes that go round in a circle are told once.
    if (seen.has(cause)) break;
    seen.add(cause);
    const text = cause instanceof Error ? cause.message : String(cause);
    if (text !== '' || texts.length === 0) texts.push(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return texts.join(': ');
}

/** Compile-time proof that a union was exhausted. */
export function assertNever(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
