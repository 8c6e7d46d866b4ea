/**
 * Every code a SymbolonError may carry, with the context it must name. Callers branch on the code, never on the text.
 * Codes are never renamed or reused: they appear in logs, metrics and diagnostics. Retired: ATTESTATION_FAILED.
 */
export interface ErrorContexts {
  // core/network
  ADDRESS_INVALID: { readonly value: string };
  PREFIX_INVALID: { readonly value: string };
  PORT_INVALID: { readonly value: string };
  PROTOCOL_INVALID: { readonly value: string };
  FLOW_INVALID: { readonly value: string };
  // core/spiffe
  TRUST_DOMAIN_INVALID: { readonly value: string };
  SPIFFE_ID_INVALID: { readonly value: string };
  DER_INVALID: { readonly offset: number };
  CERTIFICATE_INVALID: { readonly rule: string };
  SVID_INVALID: { readonly rule: string; readonly spiffeId?: string };
  SVID_UNTRUSTED: { readonly rule: string; readonly spiffeId?: string };
  SVID_EXPIRED: { readonly spiffeId: string; readonly notBeforeMs: number; readonly notAfterMs: number };
  BUNDLE_INVALID: { readonly rule: string };
  BUNDLE_MISSING: { readonly trustDomain: string };
  // core/registration
  SELECTOR_INVALID: { readonly value: string };
  ENTRY_INVALID: { readonly field: string; readonly value: string };
  DIRECTORY_INVALID: { readonly field: string; readonly value: string };
  // core/policy
  POLICY_INVALID: { readonly path: string; readonly value: string };
  POLICY_NOT_YET: { readonly path: string; readonly value: string };
  TRAFFIC_INVALID: { readonly value: string };
  // daemon, configuration, files
  CONFIG_INVALID: { readonly path: string; readonly value: string };
  PREREQUISITE_MISSING: { readonly what: string };
  NOT_IMPLEMENTED: { readonly what: string };
  FRAME_INVALID: { readonly rule: string };
  TIMEOUT: { readonly what: string; readonly ms: number };
  UNAVAILABLE: { readonly what: string };
  /** A request's field is missing or malformed. */
  REQUEST_INVALID: { readonly field: string; readonly value: string };
  /** The other end answered a gRPC call with a status that no other code stands for. */
  RPC_FAILED: { readonly method: string; readonly status: number };
  /** The other end does as much at a time as it will; the same call may succeed in a moment. */
  BUSY: { readonly what: string };
  // authority
  STORE_FAILED: { readonly what: string };
  /** `owner`: whose it is. */
  ALREADY_EXISTS: { readonly what: string; readonly owner?: string };
  NOT_FOUND: { readonly what: string };
  /** `field`: that of the request which contradicts something else; none if the object itself was changed meanwhile. */
  CONFLICT: { readonly what: string; readonly field?: string };
  PERMISSION_DENIED: { readonly what: string };
  /** Never why: that stays with the authority, as the error's cause. */
  TOKEN_REFUSED: { readonly what: string };
  CSR_INVALID: { readonly rule: string };
  // agent: node sessions and pairs
  SESSION_REFUSED: { readonly rule: string };
  AUTHENTICATOR_INVALID: { readonly rule: string };
  PAIR_REFUSED: { readonly reason: string };
  // agent: identity
  NODE_VIEW_INVALID: { readonly field: string };
  // agent: kernel
  KERNEL_CALL_FAILED: { readonly call: string; readonly errno: number };
  BPF_LOAD_FAILED: { readonly object: string; readonly verifierLog: string };
  // constructs
  /** A prop of a construct; `construct` is its path in the tree. */
  CONSTRUCT_INVALID: { readonly construct: string; readonly prop: string; readonly value: string };
  // lab, cli
  LAB_INVALID: { readonly path: string; readonly value: string };
  LAB_FAILED: { readonly what: string };
}

export type ErrorCode = keyof ErrorContexts;
