import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeAuthority } from '../../provider/testing/fake-authority.ts';
import { type ReattachedProvider, reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

let provider: ReattachedProvider;
let authority: FakeAuthority;
let terraform: TerraformFolder;

beforeAll(async () => {
  provider = await reattachProvider();
});
afterAll(() => provider.close());
beforeEach(async () => {
  await authority?.close();
  terraform?.close();
  terraform = new TerraformFolder(provider.environment);
  authority = new FakeAuthority('east.example');
  await authority.serve(join(terraform.path, 'admin.sock'));
});
afterAll(async () => {
  await authority.close();
  terraform.close();
});

const write = (hcl: string): void =>
  terraform.write(`provider "symbolon" {
  authorities = { "east.example" = { unix_socket = "${terraform.path}/admin.sock" } }
}
${hcl}`);

/** One row for each resource: what to write, what an update is, and how somebody else changes it. */
interface Row {
  readonly type: string;
  readonly hcl: string;
  readonly updated: string;
  readonly importId: string;
  readonly drift: () => void;
  readonly driftShows: string;
}

const resource = (type: string, body: string): string => `resource "${type}" "a" {\n${body}\n}\n`;
const node = (name: string, prefixes: string) =>
  `trust_domain = "east.example"\nname = "${name}"\naddress_prefixes = [${prefixes}]\nendpoint = "192.0.2.7:7420"`;
const identity = (id: string, more = '') =>
  `spiffe_id = "${id}"\nparent_id = "spiffe://east.example/symbolon/node/east-1"\nselectors = ["unix:uid:1001"]\nx509_svid_ttl = "60m"\n${more}`;
const policy = (name: string, more: string) =>
  `trust_domain = "east.example"\nname = "${name}"\nsources = { spiffe_ids = ["spiffe://east.example/web"] }\ndestinations = { trust_domains = ["east.example"] }\n${more}`;

const ROWS: readonly Row[] = [
  {
    type: 'symbolon_trust_domain',
    hcl: 'name = "east.example"\nx509_svid_ttl = "30m"\naddress_prefixes = ["2001:DB8::/32", "10.0.0.0/8"]',
    updated: 'name = "east.example"\nenforcement = "inbound"',
    importId: 'east.example',
    drift: () => {
      authority.settings = { ...authority.settings, x509SvidTtlSeconds: 90 };
    },
    driftShows: '"1m30s" -> "30m"',
  },
  {
    type: 'symbolon_node',
    hcl: node('east-1', '"10.1.0.0/16", "2001:db8:1::/48", "10.2.0.1"'),
    updated: node('east-1', '"10.1.0.0/16"'),
    importId: 'east.example/east-1',
    drift: () => authority.nodes.change((n) => n.name === 'east-1', { endpoints: ['192.0.2.8:7420'] }),
    driftShows: '"192.0.2.8:7420" -> "192.0.2.7:7420"',
  },
  {
    type: 'symbolon_identity',
    hcl: identity('spiffe://east.example/web'),
    updated: identity('spiffe://east.example/web', 'dns_names = ["web.east.example"]'),
    importId: 'spiffe://east.example/web',
    drift: () => authority.identities.change((i) => i.spiffeId === 'spiffe://east.example/web', { selectors: ['unix:uid:0'] }),
    driftShows: '"unix:uid:0"',
  },
  {
    type: 'symbolon_auth_policy',
    hcl: policy('web', 'traffic = ["tcp/8443", "udp/5000-5100", "icmp"]'),
    updated: policy('web', 'traffic = ["any"]\naction = "deny"\nside = "ingress"'),
    importId: 'east.example/web',
    drift: () => authority.policies.change((p) => p.name === 'web', { traffic: ['any'] }),
    driftShows: '"any"',
  },
];

describe.each(ROWS)('$type', (row) => {
  const address = `${row.type}.a`;

  test('create, empty second plan, update in place, delete', async () => {
    write(resource(row.type, row.hcl));
    expect((await terraform.plan()).map((c) => c.actions)).toEqual([['create']]);
    await terraform.apply();
    const created = await terraform.valuesOf(address);
    expect(await terraform.plan()).toEqual([]);

    write(resource(row.type, row.updated));
    expect((await terraform.plan()).map((c) => c.actions)).toEqual([['update']]);
    await terraform.apply();
    expect((await terraform.valuesOf(address))['id']).toBe(created['id']);
    expect(await terraform.plan()).toEqual([]);

    write('');
    await terraform.apply();
    expect(await terraform.state()).toEqual([]);
    expect([authority.nodes.all.size, authority.identities.all.size, authority.policies.all.size, authority.settings.adopted]).toEqual([
      0,
      0,
      0,
      false,
    ]);
  });

  test('drift is shown and corrected; an object that is gone is created again', async () => {
    write(resource(row.type, row.hcl));
    await terraform.apply();
    row.drift();
    const drifted = await terraform.mustRun('plan', '-input=false');
    expect(drifted.output).toContain(row.driftShows);
    expect(drifted.output).toContain('1 to change');
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);

    authority.nodes.all.clear();
    authority.identities.all.clear();
    authority.policies.all.clear();
    authority.settings = new FakeAuthority('east.example').settings;
    expect((await terraform.plan()).map((c) => c.actions)).toEqual([['create']]);
  });

  test('import, then an empty plan', async () => {
    write(resource(row.type, row.hcl));
    await terraform.apply();
    await terraform.mustRun('state', 'rm', address);
    await terraform.mustRun('import', '-input=false', address, row.importId);
    // Spelling is the authority's after an import: the plan may bring ours back, but it changes no meaning.
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    const refused = await terraform.run('import', '-input=false', `${row.type}.b`, 'west.example/none');
    expect(refused.code).toBe(1);
  });
});

const traffic = 'traffic = ["any"]';
test.each([
  ['symbolon_node', node('east-1', '"10.1.0.0/16"'), 'east-1', 'east-2'],
  ['symbolon_identity', identity('spiffe://east.example/web'), '/web', '/shop'],
  ['symbolon_identity', identity('spiffe://east.example/web'), 'node/east-1', 'node/east-2'],
  ['symbolon_auth_policy', policy('web', traffic), 'name = "web"', 'name = "web-2"'],
])('what identifies an object needs a new one: %s', async (type, hcl, before, after) => {
  write(resource(type, hcl));
  await terraform.apply();
  write(resource(type, hcl.replace(before, after)));
  expect((await terraform.plan()).map((c) => c.actions)).toEqual([['delete', 'create']]);
  await terraform.apply();
  const all = [...authority.nodes.all.values(), ...authority.identities.all.values(), ...authority.policies.all.values()];
  expect(all).toHaveLength(1);
  expect(JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).toContain(
    after.replaceAll(/^name = "|"$/g, ''),
  );
  expect(await terraform.plan()).toEqual([]);
});

test('computed SPIFFE IDs are known at plan', async () => {
  write(
    resource('symbolon_node', node('east-1', '"10.1.0.0/16"')) +
      resource(
        'symbolon_identity',
        'spiffe_id = "spiffe://east.example/web"\nparent_id = symbolon_node.a.spiffe_id\nselectors = ["unix:uid:1"]',
      ),
  );
  const plan = await terraform.plan();
  expect(plan.find((c) => c.address === 'symbolon_identity.a')?.after?.['parent_id']).toBe('spiffe://east.example/symbolon/node/east-1');
  expect(authority.calls.get('CreateNode')).toBeUndefined();
});

test('the bundle is read with exact numbers', async () => {
  write(
    'data "symbolon_bundle" "east" {\n  trust_domain = "east.example"\n}\noutput "sequence" {\n  value = data.symbolon_bundle.east.sequence_number\n}\n',
  );
  await terraform.apply();
  expect((await terraform.mustRun('output', '-raw', 'sequence')).output).toBe('9007199254740993');
  expect(await terraform.plan()).toEqual([]);
});
