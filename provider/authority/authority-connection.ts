import type { Client, MethodDefinition } from '@grpc/grpc-js';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import type { TrustDomain } from '#core/spiffe/id';
import { formatDurationMs } from '#core/time/duration';
import { callUnary } from '#daemon/grpc/call';
import { unreachableReason } from '#daemon/grpc/status';
import { openClient } from '#daemon/grpc/dial';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { type AuthorityEndpoint, describeEndpoint, dialAuthority } from './endpoint.ts';

type Unary<Request, Response> = MethodDefinition<Request, Response> & { readonly requestStream: false; readonly responseStream: false };

/** Interrupted changes are short: they may end, so that state says what they did. */
const GRACE_AFTER_INTERRUPT_MS = 2000;

/** How long an authority that did not answer is not asked for the same list again. */
const FAILED_LIST_MS = 10_000;

/** One authority, as this process knows it: one connection, made when first needed; one list of each kind of object, until something is written. */
export class AuthorityConnection {
  readonly trustDomain: TrustDomain;
  readonly endpoint: AuthorityEndpoint;
  /** True once a wait for enforcement has run out: the same laggards need not be waited for with every other change. */
  impatient = false;
  private client: Client | undefined;
  private readonly nodes = new Map<string, Promise<boolean>>();
  private readonly lists = new Map<string, Promise<unknown>>();

  constructor(trustDomain: TrustDomain, endpoint: AuthorityEndpoint) {
    this.trustDomain = trustDomain;
    this.endpoint = endpoint;
  }

  /** Calls a method that changes nothing. Throws a SymbolonError; UNAVAILABLE names the endpoint. */
  async read<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<Response> {
    return this.call(method, request, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  /** Calls a method that changes something, and forgets what was listed. */
  async write<Request, Response>(method: Unary<Request, Response>, request: Request, signal: AbortSignal): Promise<Response> {
    const cancel = new AbortController();
    const interrupted = (): void => {
      setTimeout(() => cancel.abort(), GRACE_AFTER_INTERRUPT_MS).unref();
    };
    signal.addEventListener('abort', interrupted, { once: true });
    try {
      return await this.call(method, request, { signal: cancel.signal });
    } finally {
      signal.removeEventListener('abort', interrupted);
      this.lists.clear();
    }
  }

  /** What `load` answers, asked once for each key until the next write. Of failures only those are kept, for some seconds, that say nobody answers. */
  list<T>(key: string, load: () => Promise<T>): Promise<T> {
    const found = this.lists.get(key) as Promise<T> | undefined;
    if (found) return found;
    const loading = load();
    this.lists.set(key, loading);
    loading.catch((error: unknown) => {
      const forget = (): void => {
        if (this.lists.get(key) === loading) this.lists.delete(key);
      };
      // A plan asks for every object, ten at a time: a silent authority would be waited for again and again.
      if (isSymbolonError(error, 'UNAVAILABLE') || isSymbolonError(error, 'TIMEOUT')) setTimeout(forget, FAILED_LIST_MS).unref();
      else forget();
    });
    return loading;
  }

  /** True if the authority has, or could not be asked whether it has, a node of that name. Asked once for each name. */
  hasNode(name: string, signal: AbortSignal): Promise<boolean> {
    const known = this.nodes.get(name);
    if (known) return known;
    const asked = this.read(ControlService.getNode, { id: '', name }, signal).then(
      () => true,
      (error: unknown) => !isSymbolonError(error, 'NOT_FOUND'),
    );
    this.nodes.set(name, asked);
    return asked;
  }

  close(): void {
    this.client?.close();
    this.client = undefined;
  }

  private async call<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
  ): Promise<Response> {
    this.client ??= openClient(dialAuthority(this.trustDomain, this.endpoint));
    try {
      return await callUnary(this.client, method, request, options);
    } catch (error) {
      const where = describeEndpoint(this.endpoint);
      if (isSymbolonError(error, 'TIMEOUT')) {
        const { ms } = error.context;
        throw new SymbolonError(
          'TIMEOUT',
          `the authority of ${this.trustDomain} at ${where} did not answer within ${formatDurationMs(ms)}; look at its log, restart it if it hangs, and repeat`,
          { what: where, ms },
        );
      }
      if (!isSymbolonError(error, 'UNAVAILABLE')) throw error;
      throw new SymbolonError(
        'UNAVAILABLE',
        `the authority of ${this.trustDomain} cannot be reached at ${where} (${unreachableReason(error)}); start it, or correct the provider's authorities`,
        { what: where },
      );
    }
  }
}
