import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import type { ErrorCode, ErrorContexts } from '#core/errors/codes';
import { isSymbolonError, SymbolonError } from '#core/errors/error';

/** Trailing metadata that carries a SymbolonError's code and context beside the gRPC status. */
const ERROR_KEY = 'symbolon-error-bin';

/** The gRPC status for a code; codes that are not listed say that a request is wrong in itself. */
const STATUS_OF: Partial<Record<ErrorCode, Status>> = {
  ALREADY_EXISTS: Status.ALREADY_EXISTS,
  NOT_FOUND: Status.NOT_FOUND,
  CONFLICT: Status.ABORTED,
  PERMISSION_DENIED: Status.PERMISSION_DENIED,
  TOKEN_REFUSED: Status.PERMISSION_DENIED,
  SVID_EXPIRED: Status.UNAUTHENTICATED,
  SVID_INVALID: Status.UNAUTHENTICATED,
  SVID_UNTRUSTED: Status.UNAUTHENTICATED,
  UNAVAILABLE: Status.UNAVAILABLE,
  TIMEOUT: Status.DEADLINE_EXCEEDED,
  BUSY: Status.RESOURCE_EXHAUSTED,
  STORE_FAILED: Status.INTERNAL,
  POLICY_NOT_YET: Status.UNIMPLEMENTED,
  NOT_IMPLEMENTED: Status.UNIMPLEMENTED,
};

/** The gRPC status code of anything thrown: INTERNAL for what is no SymbolonError. */
export function statusCodeOf(error: unknown): Status {
  return isSymbolonError(error) ? (STATUS_OF[error.code] ?? Status.INVALID_ARGUMENT) : Status.INTERNAL;
}

/** The gRPC answer for anything thrown by a handler. What is no SymbolonError is a fault of ours: its text stays here. */
export function errorToStatus(error: unknown): { code: Status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (!isSymbolonError(error)) return { code: Status.INTERNAL, details: 'internal error; the log of the other end has more', metadata };
  metadata.set(ERROR_KEY, Buffer.from(JSON.stringify({ code: error.code, context: error.context })));
  return { code: statusCodeOf(error), details: error.message, metadata };
}

/** The gRPC status that an error came with. It has no text of its own: the error says all that the status said. */
class GrpcStatus extends Error {
  override readonly name = 'GrpcStatus';
  readonly code: Status;
  constructor(code: Status) {
    super('');
    this.code = code;
  }
}

function carriedError(error: ServiceError): SymbolonError | undefined {
  const [value] = error.metadata?.get(ERROR_KEY) ?? [];
  if (!(value instanceof Buffer)) return undefined;
  try {
    const carried: unknown = JSON.parse(value.toString());
    if (typeof carried !== 'object' || carried === null || !('code' in carried) || !('context' in carried)) return undefined;
    if (typeof carried.code !== 'string' || typeof carried.context !== 'object' || carried.context === null) return undefined;
    return new SymbolonError(
      carried.code as ErrorCode,
      error.details,
      carried.context as ErrorContexts[ErrorCode],
      new GrpcStatus(error.code),
    );
  } catch {
    return undefined;
  }
}

const CODE_OF: ReadonlyMap<Status, 'NOT_FOUND' | 'ALREADY_EXISTS' | 'CONFLICT' | 'PERMISSION_DENIED'> = new Map([
  [Status.NOT_FOUND, 'NOT_FOUND'],
  [Status.ALREADY_EXISTS, 'ALREADY_EXISTS'],
  [Status.ABORTED, 'CONFLICT'],
  [Status.FAILED_PRECONDITION, 'CONFLICT'],
  [Status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [Status.UNAUTHENTICATED, 'PERMISSION_DENIED'],
]);

const NOBODY = ' reached nobody: ';

/** grpc-js tells the one thing that helps in the middle of much else. */
function concise(details: string): string {
  return /Last error: (?:\w*Error: )?(.*?)\. Resolution note/.exec(details)?.[1] ?? details;
}

/** Why a call reached nobody, without its name, for a message that says in its own words what was called. */
export function unreachableReason(error: SymbolonError<'UNAVAILABLE'>): string {
  const at = error.message.indexOf(NOBODY);
  return at < 0 ? error.message : error.message.slice(at + NOBODY.length);
}

/**
 * What a failed call means: the other end's SymbolonError if it sent one, else the code that stands for the gRPC status. Its cause is the status alone:
 * the ServiceError has the same text once more.
 */
export function errorFromStatus(error: ServiceError, method: string, timeoutMs = 0): SymbolonError {
  const carried = carriedError(error);
  if (carried) return carried;
  const what = error.details || error.message;
  const cause = new GrpcStatus(error.code);
  if (error.code === Status.UNAVAILABLE)
    return new SymbolonError('UNAVAILABLE', `${method}${NOBODY}${concise(what)}`, { what: method }, cause);
  if (error.code === Status.DEADLINE_EXCEEDED) {
    return new SymbolonError('TIMEOUT', `${method} got no answer in ${timeoutMs} ms`, { what: method, ms: timeoutMs }, cause);
  }
  const code = CODE_OF.get(error.code);
  if (code) return new SymbolonError(code, what, { what: method }, cause);
  return new SymbolonError('RPC_FAILED', `${method} failed: ${what}`, { method, status: error.code }, cause);
}
