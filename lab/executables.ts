import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import { parsePort } from '#core/network/flow';
import { formatAgentEndpoint } from '#core/registration/agent-endpoint';
import { INSIDE } from './layout.ts';
import { UPLINK } from './names.ts';
import { addressOf, type LabSpec } from './spec.ts';

/** The port on which agents wait for each other in a lab. */
export const AGENT_PORT = 7420;

/** The folder that holds package.json of this project, seen from the sources as from a bundle in dist/. */
export function findCheckout(from: string = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'symbolon') return folder;
    if (folder === dirname(folder)) throw new SymbolonError('LAB_FAILED', `no checkout of symbolon lies above ${from}`, { what: from });
  }
}

function built(checkout: string, artefact: string): string {
  const path = join(checkout, 'dist', artefact);
  if (existsSync(path)) return path;
  throw new SymbolonError('PREREQUISITE_MISSING', `${path} is not built; run \`npm run build\``, { what: path });
}

/** The bundle that talks for workloads. */
export function probeBundle(checkout: string): string {
  return built(checkout, 'lab/probe.js');
}

/** The authority's command line, as it runs in its place. */
export function authorityCommand(checkout: string, spec: LabSpec): readonly string[] {
  return [
    INSIDE.node,
    built(checkout, 'symbolon/symbolon-authority.js'),
    'serve',
    '--trust-domain',
    spec.trustDomain,
    '--data',
    INSIDE.authorityData,
    '--listen',
    authorityEndpoint(spec),
    '--admin-socket',
    INSIDE.adminSocket,
  ];
}

/** An agent's command line, as it runs on its node. `uplinks`: names that it is told; none: it finds them itself. */
export function agentCommand(checkout: string, spec: LabSpec, uplinks: readonly string[] = [UPLINK]): readonly string[] {
  return [
    INSIDE.node,
    built(checkout, 'agent/symbolon-agent.js'),
    '--trust-domain',
    spec.trustDomain,
    '--authority',
    authorityEndpoint(spec),
    '--bootstrap-bundle',
    INSIDE.bootstrapBundle,
    '--join-token-file',
    INSIDE.joinToken,
    '--data',
    INSIDE.agentData,
    '--run',
    INSIDE.run,
    '--bpffs',
    INSIDE.bpffs,
    '--listen-port',
    String(AGENT_PORT),
    ...uplinks.flatMap((name) => ['--uplink', name]),
  ];
}

/** Where the authority's API is reached: its IPv4 address if it has one. */
export function authorityEndpoint(spec: LabSpec): string {
  return endpointOf(spec.authority.addresses, spec.authority.port);
}

/** An address with the port, by IPv4 if there is one: `192.0.2.1:7420` or `[2001:db8::1]:7420`. */
export function endpointOf(addresses: readonly IpAddress[], port: number): string {
  const address = addressOf(addresses, 4) ?? addresses[0];
  if (!address) throw new SymbolonError('LAB_FAILED', 'what has no address has no endpoint', { what: String(port) });
  return formatAgentEndpoint({ address, port: parsePort(port) });
}
