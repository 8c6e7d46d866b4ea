import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FakeAuthority } from '../../provider/testing/fake-authority.ts';
import { type ReattachedProvider, reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

let provider: ReattachedProvider;
let authority: FakeAuthority;
let terraform: TerraformFolder;
let socket: string;

beforeEach(async () => {
  provider = await reattachProvider();
  terraform = new TerraformFolder(provider.environment);
  socket = join(terraform.path, 'admin.sock');
  authority = new FakeAuthority('east.example');
  await authority.serve(socket);
});
afterEach(async () => {
  provider.close();
  await authority.close();
  terraform.close();
});

const block = (more = ''): string =>
  `provider "symbolon" {\n  authorities = { "east.example" = { unix_socket = "${socket}" } }\n  ${more}\n}\n`;
const node = (label: string, name: string, index: number): string =>
  `resource "symbolon_node" "${label}" {\n  trust_domain = "east.example"\n  name = "${name}"\n  address_prefixes = ["10.${index}.0.0/16"]\n}\n`;
const flat = (text: string): string => text.replaceAll(/[\s│╷╵]+/g, ' ');

test('a change since the plan is not overwritten: the error names the other writer', async () => {
  terraform.write(block() + node('a', 'east-1', 1));
  await terraform.apply();
  terraform.write(block() + node('a', 'east-1', 2));
  await terraform.mustRun('plan', '-input=false', '-out=plan.out');
  authority.nodes.change((n) => n.name === 'east-1', { endpoints: ['192.0.2.9:7420'] }, 'console');
  const refused = await terraform.run('apply', '-input=false', 'plan.out');
  expect(refused.code).toBe(1);
  expect(flat(refused.output)).toContain('was changed by "console" since it was read (generation 2, expected 1)');
  expect([...authority.nodes.all.values()][0]?.endpoints).toEqual(['192.0.2.9:7420']);
});

test("somebody else's object is not taken over: the error says how to import it", async () => {
  terraform.write(block('owner = "team-a"') + node('a', 'east-1', 1));
  await terraform.apply();
  await terraform.mustRun('state', 'rm', 'symbolon_node.a');
  terraform.write(block('owner = "team-b"') + node('a', 'east-1', 1));
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(refused.code).toBe(1);
  expect(flat(refused.output)).toContain('exists already; to take it over: terraform import');
});

test('our own identical object is taken over with a warning, and the old address cannot delete it', async () => {
  const own = block('owner = "team-a"');
  terraform.write(own + node('old', 'east-1', 1));
  await terraform.apply();
  // Renamed without a `moved` block, and created at the new address before the old one is deleted.
  terraform.write(own + node('new', 'east-1', 1));
  const renamed = await terraform.mustRun('apply', '-auto-approve', '-input=false', '-target=symbolon_node.new');
  expect(renamed.output).toContain('Took over an existing node');
  await terraform.apply();
  expect([...authority.nodes.all.values()].map((n) => n.name)).toEqual(['east-1']);
  expect(await terraform.plan()).toEqual([]);
});

test('agents that lag are named in a warning, or in an error if that is wished', async () => {
  authority.lagging = ['east-2', 'east-1'];
  terraform.write(block('wait_for_enforcement = { timeout = "50ms" }') + node('a', 'east-1', 1));
  const warned = await terraform.mustRun('apply', '-auto-approve', '-input=false');
  expect(flat(warned.output)).toContain('Warning: Not enforced everywhere yet');
  expect(flat(warned.output)).toContain('after 50ms not enforced by: east-1, east-2');

  terraform.write(block('wait_for_enforcement = { timeout = "50ms", on_timeout = "error" }') + node('a', 'east-1', 2));
  const failed = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(failed.code).toBe(1);
  expect(flat(failed.output)).toContain('Error: Not enforced everywhere');
  // The change is done all the same, and state says so.
  authority.lagging = [];
  expect(await terraform.plan()).toEqual([]);
});

test('without wait_for_enforcement nothing is waited for', async () => {
  authority.lagging = ['east-1'];
  terraform.write(block() + node('a', 'east-1', 1));
  expect((await terraform.apply()).output).not.toContain('Warning');
  expect(authority.calls.get('WatchEnforcement')).toBeUndefined();
});

test('a refresh lists each kind once, however many objects there are', async () => {
  terraform.write(block() + Array.from({ length: 12 }, (_, i) => node(`n${i}`, `east-${i}`, i)).join(''));
  await terraform.apply();
  authority.calls.clear();
  expect(await terraform.plan()).toEqual([]);
  expect([...authority.calls]).toEqual([['ListNodes', 1]]);
});

test('an authority that is not known before apply: creates plan, state is kept with a warning, nothing crashes', async () => {
  const later = 'resource "terraform_data" "authority" {\n  input = "SOCKET"\n}\n'.replace('SOCKET', socket);
  const unknown = 'provider "symbolon" {\n  authorities = { "east.example" = { unix_socket = terraform_data.authority.output } }\n}\n';
  terraform.write(later + unknown + node('a', 'east-1', 1));
  expect((await terraform.plan()).map((c) => c.address)).toEqual(['symbolon_node.a', 'terraform_data.authority']);
  await terraform.apply();
  expect(await terraform.plan()).toEqual([]);

  terraform.write(
    later.replace('resource', '# replaced\nresource').replace('input', 'triggers_replace = 2\n  input') + unknown + node('a', 'east-1', 1),
  );
  const kept = await terraform.mustRun('plan', '-input=false');
  expect(kept.output).toContain('Not refreshed');
  expect(kept.output).toContain('1 to add, 0 to change, 1 to destroy');

  terraform.write(unknown.replace('terraform_data.authority.output', '"/nowhere/x.sock"'));
  const unreachable = await terraform.run('plan', '-input=false');
  expect(flat(unreachable.output)).toContain(
    'the authority of east.example cannot be reached at unix socket /nowhere/x.sock (connect ENOENT /nowhere/x.sock)',
  );
});

test('values unknown at plan: all kinds of attribute', async () => {
  terraform.write(`${block()}resource "terraform_data" "x" {
  input = { td = "east.example", prefixes = ["10.1.0.0/16"], port = "8443", uid = "1001", ids = ["spiffe://east.example/web"] }
}
resource "symbolon_node" "a" {
  trust_domain = terraform_data.x.output.td
  name = "east-1"
  address_prefixes = terraform_data.x.output.prefixes
}
resource "symbolon_identity" "a" {
  spiffe_id = "spiffe://east.example/web"
  parent_id = symbolon_node.a.spiffe_id
  selectors = ["unix:uid:\${terraform_data.x.output.uid}"]
}
resource "symbolon_auth_policy" "a" {
  trust_domain = terraform_data.x.output.td
  name = "web"
  sources = { spiffe_ids = terraform_data.x.output.ids }
  destinations = { trust_domains = [terraform_data.x.output.td] }
  traffic = ["tcp/\${terraform_data.x.output.port}"]
}
`);
  const planned = await terraform.plan();
  expect(planned.find((c) => c.address === 'symbolon_node.a')?.afterUnknown).toMatchObject({
    spiffe_id: true,
    id: true,
    address_prefixes: true,
  });
  await terraform.apply();
  expect([...authority.policies.all.values()][0]?.traffic).toEqual(['tcp/8443']);
  expect(await terraform.plan()).toEqual([]);
});

test('what turns out wrong only at apply is an error with its path, and nothing is created', async () => {
  terraform.write(`${block()}resource "terraform_data" "x" {
  input = "10.1.2.3/16"
}
resource "symbolon_node" "a" {
  trust_domain = "east.example"
  name = "east-1"
  address_prefixes = [terraform_data.x.output]
}
`);
  const refused = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(flat(refused.output)).toContain('address_prefixes["10.1.2.3/16"]');
  expect(authority.nodes.all.size).toBe(0);
});

test('an object that is already gone is deleted without complaint', async () => {
  terraform.write(block() + node('a', 'east-1', 1));
  await terraform.apply();
  authority.nodes.all.clear();
  await terraform.mustRun('destroy', '-auto-approve', '-input=false', '-refresh=false');
  expect(await terraform.state()).toEqual([]);
});

test('a second process of the same commands works after the authority restarted', async () => {
  terraform.write(block() + node('a', 'east-1', 1));
  await terraform.apply();
  await authority.close();
  rmSync(socket, { force: true });
  expect((await terraform.run('plan', '-input=false')).code).toBe(1);
  await authority.serve(socket);
  expect(await terraform.plan()).toEqual([]);
});
