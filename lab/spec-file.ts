import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { parseTrustDomain } from '#core/spiffe/id';
import { MAX_NAME, RESERVED_NAMES } from './names.ts';
import type { LabSpec } from './spec.ts';
import { findSpecProblem, type SpecPath } from './spec-problem.ts';

const DEFAULT_PORT = 7400;
const DEFAULT_ADDRESSES = {
  authority: ['192.0.2.1', '2001:db8:0:1::1'],
  operator: ['192.0.2.2', '2001:db8:0:2::1'],
  router: ['192.0.2.254', '2001:db8:0:ff::1'],
} as const;

/** Reports a core parser's refusal as a zod issue at the value's own path. */
function parsedBy<T>(parse: (text: string) => T): z.ZodType<T> {
  return z.string({ error: 'expected a text' }).transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!isSymbolonError(error)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

const address = parsedBy(parseIpAddress);
const addresses = z
  .array(address)
  .min(1, 'at least one address is needed')
  .refine((list) => new Set(list.map((a) => a.family)).size === list.length, 'at most one IPv4 and one IPv6 address');
const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'a name is made of lower-case letters, digits and dashes, and starts with a letter')
  .max(MAX_NAME, `a name has at most ${MAX_NAME} characters, because interfaces are named after it`)
  .refine((n) => !RESERVED_NAMES.includes(n), `${RESERVED_NAMES.join(', ')} are names of the lab's own places`);
const port = z.int({ error: 'a port is a whole number' }).min(1, 'a port is at least 1').max(65_535, 'a port is at most 65535');

const workload = z.strictObject({
  uid: z.int({ error: 'a uid is a whole number' }).min(1, 'uid 0 may do everything in a lab; give workloads another').max(0xffff_fffe),
  addresses,
});
const node = z.strictObject({
  addresses,
  prefixes: z.array(parsedBy(parseIpPrefix)),
  workloads: z.record(name, workload).default({}),
});
const place = (addressTexts: readonly string[]) => z.strictObject({ addresses: addresses.default(() => addressTexts.map(parseIpAddress)) });

const labFile = z.strictObject({
  trustDomain: parsedBy(parseTrustDomain),
  authority: place(DEFAULT_ADDRESSES.authority)
    .extend({ port: port.default(DEFAULT_PORT) })
    .prefault({}),
  operator: place(DEFAULT_ADDRESSES.operator).prefault({}),
  router: place(DEFAULT_ADDRESSES.router).prefault({}),
  nodes: z.record(name, node),
});

function formatPath(path: SpecPath): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/**
 * Reads a lab file (YAML). `fileName` appears in messages.
 * Throws LAB_INVALID with `file:line:column`, the path of the value, and what was expected; the first problem only.
 */
export function parseLabFile(text: string, fileName = 'lab.yaml'): LabSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const fail = (path: SpecPath, offset: number, message: string, value: string): never => {
    const { line, col } = lines.linePos(offset);
    const where = path.length > 0 ? `${formatPath(path)}: ` : '';
    throw new SymbolonError('LAB_INVALID', `${fileName}:${line}:${col}: ${where}${message}`, { path: formatPath(path), value });
  };
  const offsetOf = (path: SpecPath, of: 'key' | 'value' = 'value'): number => {
    for (let length = path.length; length > 0; length--) {
      const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      const key = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === last)?.key : undefined;
      if (isScalar(key) && (of === 'key' || length < path.length)) return key.range?.[0] ?? 0;
      const found: unknown = document.getIn(path.slice(0, length), true);
      if (isScalar(found) && found.range) return found.range[0];
      if (isScalar(key)) return key.range?.[0] ?? 0;
    }
    return document.contents?.range?.[0] ?? 0;
  };

  const [syntax] = document.errors;
  if (syntax) fail([], syntax.pos[0], syntax.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'not YAML', '');
  const result = labFile.safeParse(document.toJS());
  if (!result.success) {
    // a misspelt key is the reason for the one that is missing
    const issue = result.error.issues.find((i) => i.code === 'unrecognized_keys') ?? result.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const path = [...(issue?.path ?? []), ...unknown].map((step) => (typeof step === 'number' ? step : String(step)));
    const nested = issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    const message = unknown.length > 0 ? 'is not a key that a lab file has here' : (nested ?? issue?.message ?? 'is not valid');
    const value: unknown = document.getIn(path);
    return fail(path, offsetOf(path, unknown.length > 0 ? 'key' : 'value'), message, JSON.stringify(value) ?? '');
  }
  const file = result.data;
  const spec: LabSpec = {
    trustDomain: file.trustDomain,
    authority: file.authority,
    operator: file.operator,
    router: file.router,
    nodes: Object.entries(file.nodes).map(([nodeName, n]) => ({
      name: nodeName,
      addresses: n.addresses,
      prefixes: n.prefixes,
      workloads: Object.entries(n.workloads).map(([workloadName, w]) => ({ name: workloadName, uid: w.uid, addresses: w.addresses })),
    })),
  };
  const problem = findSpecProblem(spec);
  if (problem) fail(problem.path, offsetOf(problem.path), problem.message, problem.value);
  return spec;
}
