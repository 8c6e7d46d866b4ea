import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ReattachedProvider, reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { RunningAuthority } from '../../provider/testing/running-authority.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

jest.setTimeout(120_000);

// Terraform knows no order between objects that change places; a real authority refuses what is not unique in between.
let provider: ReattachedProvider;
let authority: RunningAuthority;
let terraform: TerraformFolder;
beforeEach(async () => {
  provider = await reattachProvider();
  authority = await RunningAuthority.start('east.example');
  terraform = new TerraformFolder(provider.environment);
});
afterEach(async () => {
  provider.close();
  await authority.close();
  terraform.close();
});

const flat = (text: string): string => text.replaceAll(/[\s│╷╵]+/g, ' ');
const block = (owner: string): string =>
  `provider "symbolon" {\n  authorities = { "east.example" = { unix_socket = "${authority.socket}" } }\n${owner === '' ? '' : `owner = "${owner}"`}\n}\n`;
const policies = (names: readonly string[], more = ''): string => `locals {
  names = ${JSON.stringify(names)}
}
resource "symbolon_auth_policy" "p" {
  count        = length(local.names)
  trust_domain = "east.example"
  name         = local.names[count.index]
  sources      = { spiffe_ids = ["spiffe://east.example/\${local.names[count.index]}"] }
  destinations = { trust_domains = ["east.example"] }
  traffic      = ["tcp/8443"]
  ${more}
}
`;
const identities = (names: readonly string[]): string => `locals {
  ids = ${JSON.stringify(names)}
}
resource "symbolon_identity" "i" {
  count     = length(local.ids)
  spiffe_id = "spiffe://east.example/\${local.ids[count.index]}"
  parent_id = "spiffe://east.example/symbolon/node/east-1"
  selectors = ["unix:uid:1001"]
}
`;
const node = (name: string, prefixes: readonly string[]): string =>
  `resource "symbolon_node" "${name}" {\n  trust_domain = "east.example"\n  name = "${name}"\n  address_prefixes = ${JSON.stringify(prefixes)}\n}\n`;

describe.each(['stack', ''])('policies and identities counted by an index, owned by %j', (owner) => {
  test.each([
    ['one more at the head', ['z', 'a', 'b', 'c']],
    ['the head removed', ['b', 'c']],
    ['the middle removed', ['a', 'c']],
    ['turned round', ['c', 'b', 'a']],
    ['others', ['d', 'a', 'e']],
  ])('%s: one apply is enough', async (_, names) => {
    const write = (of: readonly string[]): void => terraform.write(block(owner) + policies(of) + identities(of));
    write(['a', 'b', 'c']);
    await terraform.apply();
    write(names);
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    const values = (await terraform.state()).map((resource) => resource.values['name'] ?? resource.values['spiffe_id']);
    const ids = names.map((name) => `spiffe://east.example/${name}`);
    expect(new Set(values)).toEqual(new Set([...names, ...ids]));
    expect(values).toHaveLength(names.length + ids.length);
  });
});

test('with create_before_destroy, one apply is enough as well', async () => {
  const write = (names: readonly string[]): void =>
    terraform.write(block('stack') + policies(names, 'lifecycle {\n    create_before_destroy = true\n  }'));
  write(['a', 'b', 'c']);
  for (const names of [
    ['z', 'a', 'b', 'c'],
    ['a', 'c'],
    ['c', 'a'],
  ]) {
    await terraform.apply();
    write(names);
  }
  await terraform.apply();
  expect(await terraform.plan()).toEqual([]);
  expect((await terraform.state()).map((resource) => resource.values['name'])).toEqual(['c', 'a']);
});

test('an index whose other values stay behind: the content of a name changes, and one apply is enough', async () => {
  const write = (names: readonly string[]): void =>
    terraform.write(block('stack') + policies(names, '').replace('"tcp/8443"', '"tcp/${8000 + count.index}"'));
  write(['a', 'b', 'c']);
  await terraform.apply();
  write(['z', 'a', 'b', 'c']);
  await terraform.apply();
  expect(await terraform.plan()).toEqual([]);
});

test('with for_each, nothing but the new one changes', async () => {
  const each = (names: readonly string[]): string =>
    block('stack') +
    policies(names)
      .replace('count        = length(local.names)', 'for_each = toset(local.names)')
      .replaceAll('local.names[count.index]', 'each.key');
  terraform.write(each(['a', 'b', 'c']));
  await terraform.apply();
  terraform.write(each(['z', 'a', 'b', 'c']));
  expect((await terraform.plan()).map((change) => [change.address, ...change.actions])).toEqual([
    ['symbolon_auth_policy.p["z"]', 'create'],
  ]);
});

describe('prefixes', () => {
  test('that move from one node to another: one apply is enough', async () => {
    terraform.write(block('stack') + node('a', ['10.1.0.0/16', '10.2.0.0/16']) + node('b', ['10.3.0.0/16']));
    await terraform.apply();
    terraform.write(block('stack') + node('a', ['10.1.0.0/16']) + node('b', ['10.2.0.0/16', '10.3.0.0/16']));
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    // And from a node that goes to one that comes.
    terraform.write(block('stack') + node('a', ['10.1.0.0/16']) + node('c', ['10.2.0.0/16', '10.3.0.0/16']));
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
  });

  test('that change places need two applies, and the refusal names both nodes', async () => {
    const write = (a: readonly string[], b: readonly string[]): void => terraform.write(block('stack') + node('a', a) + node('b', b));
    write(['10.1.0.0/16'], ['10.2.0.0/16']);
    await terraform.apply();
    write(['10.2.0.0/16'], ['10.1.0.0/16']);
    const refused = await terraform.run('apply', '-auto-approve', '-input=false');
    expect(refused.code).toBe(1);
    expect(flat(refused.output)).toContain('address prefix 10.2.0.0/16 of the node a overlaps 10.2.0.0/16 of');
    // As the how-to says: first give them up, then take them.
    write(['10.9.1.0/24'], ['10.9.2.0/24']);
    await terraform.apply();
    write(['10.2.0.0/16'], ['10.1.0.0/16']);
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
  });

  test('of the trust domain and of its nodes: the union first, then what remains', async () => {
    const write = (domain: readonly string[], prefix: string): void =>
      terraform.write(
        `${block('stack')}resource "symbolon_trust_domain" "east" {\n  name = "east.example"\n  address_prefixes = ${JSON.stringify(domain)}\n}\n${node('a', [prefix]).replace('"east.example"', 'symbolon_trust_domain.east.name')}`,
      );
    write(['10.0.0.0/8'], '10.1.0.0/16');
    await terraform.apply();
    write(['192.0.2.0/24'], '192.0.2.0/25');
    const refused = await terraform.run('apply', '-auto-approve', '-input=false');
    expect(refused.code).toBe(1);
    expect(flat(refused.output)).toContain('10.1.0.0/16" of the declared node a lies in none of');
    write(['10.0.0.0/8', '192.0.2.0/24'], '192.0.2.0/25');
    await terraform.apply();
    write(['192.0.2.0/24'], '192.0.2.0/25');
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
  });
});

describe('two addresses for one object', () => {
  const both = (): string =>
    node('a', ['10.1.0.0/16']) + node('a', ['10.1.0.0/16']).replace('"symbolon_node" "a"', '"symbolon_node" "again"');
  const TWICE = 'the node a is already managed by this configuration at another address; remove one of the two resources';

  test('are refused at plan', async () => {
    terraform.write(block('stack') + both());
    const refused = await terraform.run('plan', '-input=false');
    expect(refused.code).toBe(1);
    expect(flat(refused.output)).toContain(`name: ${TWICE}`);
  });

  test('also if one of them exists already', async () => {
    terraform.write(block('stack') + node('a', ['10.1.0.0/16']));
    await terraform.apply();
    terraform.write(block('stack') + both());
    const refused = await terraform.run('plan', '-input=false');
    expect(flat(refused.output)).toContain(TWICE);
  });

  test('also if that shows only at apply', async () => {
    terraform.write(
      `${block('stack')}resource "terraform_data" "x" {\n  input = "a"\n}\n${both().replaceAll('name = "a"', 'name = terraform_data.x.output')}`,
    );
    const refused = await terraform.run('apply', '-auto-approve', '-input=false');
    expect(refused.code).toBe(1);
    expect(flat(refused.output)).toContain(TWICE);
    expect((await terraform.state()).filter((resource) => resource.type === 'symbolon_node')).toHaveLength(1);
  });

  test('are refused for an identity, whatever the order of its selectors', async () => {
    const identity = (label: string, selectors: readonly string[]): string =>
      `resource "symbolon_identity" "${label}" {\n  spiffe_id = "spiffe://east.example/web"\n  parent_id = "spiffe://east.example/symbolon/node/a"\n  selectors = ${JSON.stringify(selectors)}\n}\n`;
    terraform.write(block('stack') + identity('x', ['unix:uid:1', 'unix:gid:1']) + identity('y', ['unix:gid:1', 'unix:uid:1']));
    expect(flat((await terraform.run('plan', '-input=false')).output)).toContain(
      'the identity spiffe://east.example/web is already managed',
    );
    terraform.write(block('stack') + identity('x', ['unix:uid:1']) + identity('y', ['unix:uid:2']));
    await terraform.apply();
  });

  test('settings of a trust domain are an object, too', async () => {
    terraform.write(
      block('stack') + ['a', 'b'].map((label) => `resource "symbolon_trust_domain" "${label}" {\n  name = "east.example"\n}\n`).join(''),
    );
    expect(flat((await terraform.run('plan', '-input=false')).output)).toContain(
      'the trust domain east.example is already managed by this',
    );
  });

  test('a replacement, a tainted object and a renamed address are none', async () => {
    terraform.write(block('stack') + node('a', ['10.1.0.0/16']));
    await terraform.apply();
    await terraform.mustRun('apply', '-auto-approve', '-input=false', '-replace=symbolon_node.a');
    await terraform.mustRun('taint', 'symbolon_node.a');
    await terraform.apply();
    const renamed = node('a', ['10.1.0.0/16']).replace('"symbolon_node" "a"', '"symbolon_node" "b"');
    terraform.write(block('stack') + renamed);
    await terraform.apply();
    expect(await terraform.plan()).toEqual([]);
    const replaced = renamed.replace('name =', 'lifecycle {\n    create_before_destroy = true\n  }\n  name =');
    terraform.write(block('stack') + replaced);
    await terraform.mustRun('apply', '-auto-approve', '-input=false', '-replace=symbolon_node.b');
    expect(await terraform.plan()).toEqual([]);
  });
});
