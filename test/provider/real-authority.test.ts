import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type ReattachedProvider, reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { RunningAuthority } from '../../provider/testing/running-authority.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

jest.setTimeout(120_000);

let provider: ReattachedProvider;
let authority: RunningAuthority;
let terraform: TerraformFolder;
beforeAll(async () => {
  provider = await reattachProvider();
});
afterAll(() => provider.close());
beforeEach(async () => {
  authority = await RunningAuthority.start('east.example');
  terraform = new TerraformFolder(provider.environment);
});
afterEach(async () => {
  await authority.close();
  terraform.close();
});

const flat = (text: string): string => text.replaceAll(/[\s│╷╵]+/g, ' ');
const overSocket = (): string => `unix_socket = "${authority.socket}"`;
const overTls = (folder: string): string =>
  `address = "${authority.address}"\ncert = "${folder}/svid.pem"\nkey = "${folder}/key.pem"\nbundle = "${folder}/bundle.pem"`;
const block = (reach: string, more = ''): string =>
  `provider "symbolon" {\nauthorities = { "east.example" = {\n${reach}\n} }\n${more}\n}\n`;

const WHOLE = `
resource "symbolon_trust_domain" "east" {
  name = "east.example"
  x509_svid_ttl = "30m"
  enforcement = "all"
  address_prefixes = ["10.0.0.0/8", "2001:DB8::/32"]
}
resource "symbolon_node" "n" {
  for_each = { east-1 = 1, east-2 = 2 }
  trust_domain = symbolon_trust_domain.east.name
  name = each.key
  address_prefixes = ["10.\${each.value}.0.0/16", "2001:db8:\${each.value}::/48"]
  endpoint = "10.\${each.value}.0.1:7420"
}
resource "symbolon_identity" "web" {
  spiffe_id = "spiffe://east.example/web"
  parent_id = symbolon_node.n["east-1"].spiffe_id
  selectors = ["unix:uid:1001", "unix:gid:1001"]
  addresses = ["10.1.0.2", "2001:db8:1:0::2"]
  x509_svid_ttl = "60m"
  dns_names = ["web.east.example"]
  hint = "front"
  enforcement = "inbound"
}
resource "symbolon_identity" "payments" {
  spiffe_id = "spiffe://east.example/payments"
  parent_id = symbolon_node.n["east-2"].spiffe_id
  selectors = ["unix:uid:1002"]
}
resource "symbolon_auth_policy" "web_to_payments" {
  trust_domain = "east.example"
  name = "web-to-payments"
  sources = { spiffe_ids = [symbolon_identity.web.spiffe_id] }
  destinations = { path_prefixes = [symbolon_identity.payments.spiffe_id], trust_domains = [] }
  traffic = ["tcp/8443-8443", "udp/5353", "icmp"]
}
data "symbolon_bundle" "east" {
  trust_domain = "east.example"
}
output "pem" {
  value = data.symbolon_bundle.east.pem
}
`;

test('everything: apply, empty plan, update, import, destroy', async () => {
  terraform.write(block(overSocket(), 'wait_for_enforcement = { timeout = "2s" }') + WHOLE);
  const applied = await terraform.apply();
  expect(applied.output).toContain('6 added, 0 changed, 0 destroyed');
  expect(await terraform.plan()).toEqual([]);
  expect((await terraform.mustRun('output', '-raw', 'pem')).output).toContain('-----BEGIN CERTIFICATE-----');

  terraform.write(
    block(overSocket()) + WHOLE.replace('"udp/5353"', '"udp/5354"').replace('enforcement = "inbound"', '').replace('hint = "front"', ''),
  );
  expect((await terraform.plan()).map((c) => [c.address, ...c.actions])).toEqual([
    ['symbolon_auth_policy.web_to_payments', 'update'],
    ['symbolon_identity.web', 'update'],
  ]);
  await terraform.apply();
  expect(await terraform.plan()).toEqual([]);

  for (const [address, id] of [
    ['symbolon_trust_domain.east', 'east.example'],
    ['symbolon_node.n["east-1"]', 'east.example/east-1'],
    ['symbolon_identity.web', 'spiffe://east.example/web'],
    ['symbolon_auth_policy.web_to_payments', 'east.example/web-to-payments'],
  ] as const) {
    await terraform.mustRun('state', 'rm', address);
    await terraform.mustRun('import', '-input=false', address, id);
  }
  await terraform.apply();
  expect(await terraform.plan()).toEqual([]);

  await terraform.mustRun('destroy', '-auto-approve', '-input=false');
  expect(await terraform.state()).toEqual([]);
  // Another stack may adopt the authority now.
  terraform.write(`${block(overSocket(), 'owner = "other"')}resource "symbolon_trust_domain" "again" {\n  name = "east.example"\n}\n`);
  await terraform.apply();
});

test("over TLS: an administrator applies, a reader only plans, another trust domain's authority is not believed; no key in state or plan", async () => {
  const admin = join(authority.folder, 'admin');
  const reader = join(authority.folder, 'reader');
  await authority.command('admin-svid', '--out', admin);
  await authority.command('admin-svid', '--out', reader, '--read-only');
  terraform.write(block(overTls(admin)) + WHOLE);
  await terraform.apply();

  terraform.write(block(overTls(reader)) + WHOLE);
  expect(await terraform.plan()).toEqual([]);
  terraform.write(block(overTls(reader)) + WHOLE.replace('"icmp"', '"any"'));
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('Cannot update symbolon_auth_policy');

  const keyLine = readFileSync(join(admin, 'key.pem'), 'utf8').split('\n')[1] ?? '';
  expect(keyLine.length).toBeGreaterThan(40);
  for (const file of ['terraform.tfstate', 'plan.out']) expect(readFileSync(join(terraform.path, file)).includes(keyLine)).toBe(false);

  const other = await RunningAuthority.start('east.example');
  try {
    // The same name and address form, other keys: what proves it is the bundle that was given.
    terraform.write(block(overTls(admin).replace(authority.address, other.address)) + WHOLE);
    const impostor = await terraform.run('plan', '-input=false');
    expect(impostor.code).toBe(1);
    expect(flat(impostor.output)).toMatch(
      /cannot be reached at 127\.0\.0\.1:\d+ \(the certificate of \S+ has no path to an authority of the trust domain/,
    );
  } finally {
    await other.close();
  }
});

test('what the authority refuses is said in its words', async () => {
  terraform.write(`${block(overSocket())}resource "symbolon_node" "a" {
  trust_domain = "east.example"
  name = "a"
  address_prefixes = ["10.1.0.0/16"]
}
resource "symbolon_node" "b" {
  trust_domain = "east.example"
  name = "b"
  address_prefixes = ["10.1.2.0/24"]
  depends_on = [symbolon_node.a]
}
`);
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(refused.code).toBe(1);
  expect(flat(refused.output)).toContain(
    'address prefix 10.1.2.0/24 of the node b overlaps 10.1.0.0/16 of spiffe://east.example/symbolon/node/a',
  );
});

test('an identical object of the same owner is taken over with a new id', async () => {
  const node = (label: string): string =>
    `resource "symbolon_node" "${label}" {\n  trust_domain = "east.example"\n  name = "a"\n  address_prefixes = ["10.1.0.0/16"]\n}\n`;
  terraform.write(block(overSocket(), 'owner = "stack"') + node('old'));
  await terraform.apply();
  const before = await terraform.valuesOf('symbolon_node.old');
  await terraform.mustRun('state', 'rm', 'symbolon_node.old');
  const again = await terraform.apply();
  expect(again.output).toContain('Took over an existing node');
  expect((await terraform.valuesOf('symbolon_node.old'))['id']).not.toBe(before['id']);

  await terraform.mustRun('state', 'rm', 'symbolon_node.old');
  terraform.write(block(overSocket(), 'owner = "other"') + node('old'));
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(flat(refused.output)).toMatch(/terraform import .*east\.example\/a/);
});

test('without an owner nothing is taken over, whoever made it', async () => {
  const all = `resource "symbolon_trust_domain" "td" {\n  name = "east.example"\n}\n${WHOLE.slice(WHOLE.indexOf('resource "symbolon_auth_policy"')).replaceAll(/symbolon_identity\.(\w+)\.spiffe_id/g, '"spiffe://east.example/$1"')}`;
  terraform.write(block(overSocket()) + all);
  await terraform.apply();
  for (const address of ['symbolon_trust_domain.td', 'symbolon_auth_policy.web_to_payments'])
    await terraform.mustRun('state', 'rm', address);
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(refused.code).toBe(1);
  expect(flat(refused.output)).toContain('terraform import <address> east.example/web-to-payments');
  expect(flat(refused.output)).toContain('terraform import <address> east.example.');
  expect(refused.output).not.toContain('Took over');
});

test("another stack's settings are not changed, though both have one owner", async () => {
  const settings = (more: string): string =>
    `${block(overSocket(), 'owner = "shared"')}resource "symbolon_trust_domain" "td" {\n  name = "east.example"\n${more}\n}\n`;
  terraform.write(settings('x509_svid_ttl = "30m"'));
  await terraform.apply();
  const second = new TerraformFolder(provider.environment);
  try {
    second.write(settings('x509_svid_ttl = "10m"'));
    const refused = await second.run('apply', '-auto-approve', '-input=false');
    expect(refused.code).toBe(1);
    expect(flat(refused.output)).toContain('are declared already with different content, by "shared"; to take them over: terraform import');
  } finally {
    second.close();
  }
  expect(await terraform.plan()).toEqual([]);
});

test('an identity on a node that nobody has declared is made with a warning; one ID on two nodes is imported by its id', async () => {
  const identity = (label: string, parent: string): string =>
    `resource "symbolon_identity" "${label}" {\n  spiffe_id = "spiffe://east.example/web"\n  parent_id = ${parent}\n  selectors = ["unix:uid:1001"]\n}\n`;
  const node = `resource "symbolon_node" "one" {\n  trust_domain = "east.example"\n  name = "one"\n  address_prefixes = ["10.1.0.0/16"]\n}\n`;
  const LOST = '"spiffe://east.example/symbolon/node/lost"';
  terraform.write(block(overSocket()) + node + identity('a', 'symbolon_node.one.spiffe_id') + identity('b', LOST));
  const { output } = await terraform.apply();
  expect(output.match(/Warning: Identity on an undeclared node/g)).toHaveLength(1);
  expect(flat(output)).toContain('parent_id: the authority of east.example has no node lost yet');

  const ids = [await terraform.valuesOf('symbolon_identity.a'), await terraform.valuesOf('symbolon_identity.b')].map((values) =>
    String(values['id']),
  );
  await terraform.mustRun('state', 'rm', 'symbolon_identity.a');
  const ambiguous = await terraform.run('import', '-input=false', 'symbolon_identity.a', 'spiffe://east.example/web');
  expect(ambiguous.code).toBe(1);
  expect(flat(ambiguous.output)).toContain(`east.example/${ids[0]} (on spiffe://east.example/symbolon/node/one, unix:uid:1001)`);
  expect(flat(ambiguous.output)).toContain(`east.example/${ids[1]} (on spiffe://east.example/symbolon/node/lost, unix:uid:1001)`);
  await terraform.mustRun('import', '-input=false', 'symbolon_identity.a', `east.example/${ids[0]}`);
  expect(await terraform.plan()).toEqual([]);
});
