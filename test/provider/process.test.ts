import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServerCertificate } from '../../provider/plugin/server-certificate.ts';
import { FakeAuthority } from '../../provider/testing/fake-authority.ts';
import { mirrorConfig, mirrorPath } from '../../provider/testing/mirror.ts';
import { packageProvider } from '../../provider/testing/packaged-provider.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

// The provider as users have it: one file in a mirror, started by terraform, with AutoMTLS.
const folder = mkdtempSync(join(tmpdir(), 'sy-pkg-'));
let mirror: string;
beforeAll(() => {
  mirror = packageProvider(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('with terraform', () => {
  let terraform: TerraformFolder;
  let authority: FakeAuthority;
  beforeEach(async () => {
    terraform = new TerraformFolder({ TMPDIR: folder });
    terraform.writeCliConfig(mirrorConfig(mirror));
    authority = new FakeAuthority('east.example');
    await authority.serve(join(terraform.path, 'admin.sock'));
    terraform.write(`provider "symbolon" {
  owner = "stack"
  authorities = { "east.example" = { unix_socket = "${terraform.path}/admin.sock" } }
}
resource "symbolon_node" "a" {
  trust_domain = "east.example"
  name = "east-1"
  address_prefixes = ["10.1.0.0/16"]
}
`);
    await terraform.mustRun('init', '-input=false');
  });
  afterEach(async () => {
    authority.beforeAnswer = () => Promise.resolve();
    await authority.close();
    terraform.close();
  });

  /** Starts an apply that has created the node but has no answer yet. */
  async function stalledApply(): Promise<ReturnType<TerraformFolder['start']> & { readonly answer: () => void }> {
    let answer = (): void => undefined;
    const stored = new Promise<void>((resolve) => {
      authority.beforeAnswer = () => {
        resolve();
        return new Promise((go) => {
          answer = go;
        });
      };
    });
    const apply = terraform.start('apply', '-auto-approve', '-input=false');
    await stored;
    return { ...apply, answer: () => answer() };
  }

  test('init from the mirror, apply, empty plan; no socket is left behind', async () => {
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('plugin'))).toEqual([]);
  });

  test('killed between the RPC and the state write: the next apply takes the object over', async () => {
    const { child, done } = await stalledApply();
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await done;
    authority.beforeAnswer = () => Promise.resolve();
    expect(authority.nodes.all.size).toBe(1);
    rmSync(join(terraform.path, '.terraform.tfstate.lock.info'), { force: true });
    expect(
      existsSync(join(terraform.path, 'terraform.tfstate')) && readFileSync(join(terraform.path, 'terraform.tfstate'), 'utf8'),
    ).not.toContain('east-1');
    const again = await terraform.apply();
    expect(again.output).toContain('Took over an existing node');
    expect(authority.nodes.all.size).toBe(1);
    expect(await terraform.plan()).toEqual([]);
  });

  test('a core that is killed alone leaves no provider behind', async () => {
    const { child, done } = await stalledApply();
    const providers = (): readonly string[] =>
      readdirSync('/proc').filter((pid) => {
        try {
          return /^\d+$/.test(pid) && Number(pid) !== child.pid && readlinkSync(`/proc/${pid}/cwd`) === terraform.path;
        } catch {
          return false; // ended meanwhile
        }
      });
    expect(providers()).not.toEqual([]);
    child.kill('SIGKILL');
    const until = Date.now() + 20_000;
    while (providers().length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(providers()).toEqual([]);
    await done;
  });

  test('Ctrl-C: what was under way ends and is in state', async () => {
    const { child, output, done, answer } = await stalledApply();
    process.kill(-(child.pid ?? 0), 'SIGINT');
    for (const end = Date.now() + 20_000; !output().includes('Interrupt received') && Date.now() < end; ) await sleep(20);
    expect(output()).toContain('Interrupt received');
    answer();
    await done;
    authority.beforeAnswer = () => Promise.resolve();
    expect(await terraform.plan()).toEqual([]);
    expect(authority.nodes.all.size).toBe(1);
  });

  test('Ctrl-C with an authority that does not answer: the apply ends, and the next one converges', async () => {
    const { child, done } = await stalledApply();
    process.kill(-(child.pid ?? 0), 'SIGINT');
    // Nobody has answered, and the call's own time limit was not what ended it.
    const { code, output } = await done;
    expect(code).toBe(1);
    expect(output).not.toContain('got no answer');
    authority.beforeAnswer = () => Promise.resolve();
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    expect(authority.nodes.all.size).toBe(1);
  });
});

describe('without terraform', () => {
  interface Started {
    readonly child: ChildProcess;
    readonly code: Promise<number | null>;
    readonly stdout: () => string;
    readonly stderr: () => string;
  }
  let started: ChildProcess | undefined;
  afterEach(() => {
    started?.kill('SIGKILL');
  });
  function start(environment: Readonly<Record<string, string>>): Started {
    const child = spawn(mirrorPath(mirror), [], { env: { PATH: process.env['PATH'] ?? '', TMPDIR: folder, ...environment } });
    started = child;
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const code = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { child, code, stdout: () => out, stderr: () => err };
  }
  const COOKIE = {
    TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2',
    PLUGIN_PROTOCOL_VERSIONS: '5,6',
  };

  test('started by a person it says what it is', async () => {
    const { code, stdout, stderr } = start({});
    expect(await code).toBe(1);
    expect(stdout()).toBe('');
    expect(stderr()).toMatch(/^terraform-provider-symbolon .* is a Terraform provider: Terraform starts it/);
  });

  test('only the core that started it may call', async () => {
    const core = createServerCertificate(Date.now());
    const stranger = createServerCertificate(Date.now());
    const { child, stdout } = start({ ...COOKIE, PLUGIN_CLIENT_CERT: core.certificatePem });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    const [version, protocol, network, socketPath = '', kind, certificate = ''] = stdout().trim().split('|');
    expect([version, protocol, network, kind]).toEqual(['1', '6', 'unix', 'grpc']);
    expect(certificate).not.toContain('=');
    const own = new X509Certificate(Buffer.from(certificate, 'base64'));
    expect(own.checkHost('localhost')).toBe('localhost');

    const isAdmitted = (client?: { readonly certificatePem: string; readonly keyPem: string }): Promise<boolean> =>
      new Promise((resolve) => {
        const options = client ? { cert: client.certificatePem, key: client.keyPem } : {};
        const socket = connect({ path: socketPath, ca: [own.toString()], servername: 'localhost', ALPNProtocols: ['h2'], ...options });
        // TLS 1.3: a refused client certificate shows only after the handshake. An HTTP/2 server that admits us speaks first.
        socket.once('data', () => {
          resolve(socket.authorized);
          socket.destroy();
        });
        socket.once('error', () => resolve(false));
        socket.once('close', () => resolve(false));
      });
    expect(await isAdmitted(core)).toBe(true);
    expect(await isAdmitted(stranger)).toBe(false);
    expect(await isAdmitted()).toBe(false);
  });

  test('a client certificate that is none ends the start with a message', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { code, stdout, stderr } = start({ ...COOKIE, PLUGIN_CLIENT_CERT: publicKey.export({ type: 'spki', format: 'pem' }).toString() });
    expect(await code).toBe(1);
    expect(stdout()).toBe('');
    expect(stderr()).toContain('could not start');
  });
});
