import { existsSync, rmSync } from 'node:fs';
import type { Client } from '@grpc/grpc-js';
import { SymbolonError } from '#core/errors/error';
import { certificatesToPem } from '#core/spiffe/pem';
import { callUnary } from '#daemon/grpc/call';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import { AgentService } from '#proto/gen/spire/server/agent';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { createCgroup } from './cgroup.ts';
import { authorityCommand } from './executables.ts';
import type { LabAccess } from './lab-access.ts';
import { INSIDE, outsidePath } from './layout.ts';
import { AUTHORITY } from './names.ts';
import { programIn, signalPrograms, stopPrograms, waitUntilReady } from './part.ts';
import { startInPlace } from './start-in-place.ts';

const PART = 'authority';
const TOKEN_TTL_SECONDS = 600;

/** The lab's authority: started, stopped, and asked for what an agent needs to join. */
export class AuthorityProcess {
  readonly #lab: LabAccess;

  constructor(lab: LabAccess) {
    this.#lab = lab;
  }

  /** The admin socket as the machine, and so the operator's place, sees it. */
  get adminSocket(): string {
    return outsidePath(this.#lab.layout, AUTHORITY, INSIDE.adminSocket);
  }

  get logFile(): string {
    return this.#lab.layout.logFile(AUTHORITY, PART);
  }

  /** Its process, or undefined if it does not run. */
  get pid(): number | undefined {
    return programIn(this.#cgroup);
  }

  get #cgroup(): string {
    return this.#lab.layout.partCgroup(AUTHORITY, PART);
  }

  /** Starts it, on the data that it left behind if it ran before, and waits until its admin socket answers. Throws LAB_FAILED. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const command = authorityCommand(this.#lab.checkout, this.#lab.spec);
    rmSync(this.adminSocket, { force: true });
    createCgroup(this.#cgroup);
    const logStart = await startInPlace(this.#lab.layout, this.#lab.place(AUTHORITY), PART, command, this.logFile);
    await waitUntilReady({
      what: 'the authority',
      cgroup: this.#cgroup,
      logFile: this.logFile,
      logStart,
      waitsFor: async () => ((await this.#answers()) ? undefined : 'its admin socket does not answer yet'),
    });
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await stopPrograms(this.#cgroup, 'SIGTERM');
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await stopPrograms(this.#cgroup, 'SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    signalPrograms(this.#cgroup, signal);
  }

  /** The trust domain's CA certificates, PEM: what an agent trusts at its first contact. */
  async bundlePem(): Promise<string> {
    const bundle = await this.#call((client) => callUnary(client, BundleService.getBundle, { outputMask: undefined }));
    return certificatesToPem(bundle.x509Authorities.map((authority) => authority.asn1));
  }

  /** A one-time token by which an agent becomes the node. Throws LAB_FAILED if no such node is declared. */
  async mintJoinToken(node: string): Promise<string> {
    return await this.#call(async (client) => {
      const { nodes } = await callUnary(client, ControlService.listNodes, {});
      const declared = nodes.find((n) => n.name === node);
      if (!declared) {
        const others = nodes.map((n) => n.name).join(', ') || 'none';
        throw new SymbolonError(
          'LAB_FAILED',
          `the node ${node} is not declared at the authority (declared: ${others}); declare it with a symbolon_node and apply first`,
          { what: node },
        );
      }
      const path = declared.spiffeId.replace(/^spiffe:\/\/[^/]+/, '');
      const agentId = { trustDomain: this.#lab.spec.trustDomain, path };
      const { value } = await callUnary(client, AgentService.createJoinToken, { ttl: TOKEN_TTL_SECONDS, token: '', agentId });
      return value;
    });
  }

  /** Asks on the admin socket; the connection ends with the answer. */
  async call<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    return await this.#call(ask);
  }

  async #answers(): Promise<boolean> {
    if (!existsSync(this.adminSocket)) return false;
    try {
      await this.#call((client) => callUnary(client, ControlService.getStatus, {}, { timeoutMs: 2000 }));
      return true;
    } catch {
      return false;
    }
  }

  async #call<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    const client = openClient(dialUnix(this.adminSocket));
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  }
}
