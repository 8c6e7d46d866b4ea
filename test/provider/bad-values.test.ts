import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { instantFromMs } from '#core/time/instant';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { type ReattachedProvider, reattachProvider } from '../../provider/testing/reattached-provider.ts';
import { TerraformFolder } from '../../provider/testing/terraform.ts';

// No authority runs here: everything below is found before anything is connected to.
let provider: ReattachedProvider;
let terraform: TerraformFolder;
beforeAll(async () => {
  provider = await reattachProvider();
  terraform = new TerraformFolder(provider.environment);
});
afterAll(() => {
  provider.close();
  terraform.close();
});

const PROVIDER = 'provider "symbolon" {\n  authorities = { "east.example" = { unix_socket = "/nowhere/admin.sock" } }\n}\n';
const identity = (attributes: string): string => `resource "symbolon_identity" "a" {
  spiffe_id = "spiffe://east.example/web"
  parent_id = "spiffe://east.example/symbolon/node/east-1"
  selectors = ["unix:uid:1001"]
  ${attributes}
}`;
const replacing = (hcl: string, name: string, value: string): string =>
  hcl.replace(new RegExp(`^  ${name} = .*$`, 'm'), `  ${name} = ${value}`);
const node = `resource "symbolon_node" "a" {
  trust_domain = "east.example"
  name = "east-1"
  address_prefixes = ["10.1.0.0/16"]
  endpoint = "192.0.2.7:7420"
}`;
const policy = `resource "symbolon_auth_policy" "a" {
  trust_domain = "east.example"
  name = "web"
  sources = { spiffe_ids = ["spiffe://east.example/web"] }
  destinations = { path_prefixes = ["spiffe://east.example/shop"] }
  traffic = ["tcp/8443"]
}`;
const domain = 'resource "symbolon_trust_domain" "a" {\n  name = "east.example"\n}';

/** Core wraps long lines; what is looked for must not depend on where. */
const flat = (text: string): string => text.replaceAll(/[\s│╷╵]+/g, ' ');

interface Row {
  readonly what: string;
  readonly hcl: string;
  /** The path in the text, and what is wrong. */
  readonly says: readonly string[];
  /** The source line that core points to; none inside nested attributes and sets. */
  readonly line?: string;
}
const ROWS: readonly Row[] = [
  {
    what: 'scheme of an ID',
    hcl: replacing(identity(''), 'spiffe_id', '"https://east.example/web"'),
    says: ['spiffe_id: "https://east.example/web" is not a SPIFFE ID'],
    line: 'spiffe_id = "https',
  },
  {
    what: 'ID without path',
    hcl: replacing(identity(''), 'spiffe_id', '"spiffe://east.example"'),
    says: ['spiffe_id: "spiffe://east.example" has no path'],
  },
  {
    what: 'reserved ID',
    hcl: replacing(identity(''), 'spiffe_id', '"spiffe://east.example/symbolon/x"'),
    says: ['spiffe_id', 'reserved for the system'],
  },
  {
    what: 'parent that is no node',
    hcl: replacing(identity(''), 'parent_id', '"spiffe://east.example/web"'),
    says: ['parent_id', 'is not the ID of a node'],
    line: 'parent_id = ',
  },
  {
    what: 'parent of another trust domain',
    hcl: replacing(identity(''), 'parent_id', '"spiffe://west.example/symbolon/node/w"'),
    says: ["parent_id: its trust domain is west.example, while the identity's is east.example"],
    line: 'parent_id',
  },
  {
    what: 'selector',
    hcl: replacing(identity(''), 'selectors', '["unix:uid:1", "uid"]'),
    says: ['selectors["uid"]: "uid" is not a selector'],
    line: 'selectors = ',
  },
  { what: 'no selectors', hcl: replacing(identity(''), 'selectors', '[]'), says: ['selectors: it has 0 elements; expected at least 1'] },
  { what: 'address', hcl: identity('addresses = ["10.1.0"]'), says: ['addresses["10.1.0"]: "10.1.0" is not an IP address'] },
  {
    what: 'two spellings of one address',
    hcl: identity('addresses = ["2001:db8::1", "2001:DB8::1"]'),
    says: ['addresses:', 'are the same; leave one of them out'],
  },
  {
    what: 'lifetime',
    hcl: identity('x509_svid_ttl = "1 hour"'),
    says: ['x509_svid_ttl: "1 hour" is not a duration; write it like "90s"'],
    line: 'x509_svid_ttl',
  },
  { what: 'lifetime of nothing', hcl: identity('x509_svid_ttl = "0s"'), says: ['x509_svid_ttl: "0s" is out of range'] },
  { what: 'DNS name', hcl: identity('dns_names = ["web_1.example"]'), says: ['dns_names["web_1.example"]'] },
  {
    what: 'federation with itself',
    hcl: identity('federates_with = ["east.example"]'),
    says: ["federates_with: east.example is the identity's own"],
  },
  {
    what: 'foreign trust domain',
    hcl: identity('federates_with = ["spiffe://west.example"]'),
    says: ['federates_with["spiffe://west.example"]', 'leave out spiffe://'],
  },
  {
    what: 'federation with another',
    hcl: identity('federates_with = ["west.example"]'),
    says: ['federates_with: it is not supported yet; leave it out'],
    line: 'federates_with',
  },
  {
    what: 'number of a selector',
    hcl: replacing(identity(''), 'selectors', '["unix:uid:01001"]'),
    says: ['selectors["unix:uid:01001"]', 'in digits without leading zeros'],
  },
  {
    what: 'selector of no agent',
    hcl: replacing(identity(''), 'selectors', '["k8s:ns:shop"]'),
    says: ['is of a kind that no agent attests; expected unix:uid:N, unix:gid:N, unix:supplementary_gid:N or cgroup:path:/a/b'],
  },
  {
    what: 'policy of others',
    hcl: replacing(
      replacing(policy, 'sources', '{ trust_domains = ["west.example"] }'),
      'destinations',
      '{ spiffe_ids = ["spiffe://south.example/x"] }',
    ),
    says: ['Policy without effect', 'sources and destinations: nobody there is of the trust domain east.example'],
    line: 'sources = ',
  },
  {
    what: 'side of others',
    hcl: replacing(policy, 'sources', '{ trust_domains = ["west.example"] }\n  side = "egress"'),
    says: ['sources: nobody there is of the trust domain east.example, so that no node would enforce the policy with side = "egress"'],
  },
  {
    what: 'enforcement',
    hcl: identity('enforcement = "none"'),
    says: ['enforcement: "none" is none of the known words; expected "off" or "inbound" or "all"'],
  },
  {
    what: 'host bits of a prefix',
    hcl: replacing(node, 'address_prefixes', '["10.1.2.3/16"]'),
    says: ['address_prefixes["10.1.2.3/16"]', 'did you mean 10.1.0.0/16?'],
    line: 'address_prefixes',
  },
  { what: 'length of a prefix', hcl: replacing(node, 'address_prefixes', '["10.1.0.0/33"]'), says: ['has no prefix length of 0 to 32'] },
  {
    what: 'endpoint without port',
    hcl: replacing(node, 'endpoint', '"192.0.2.7"'),
    says: ['endpoint: "192.0.2.7" is not an address with a port'],
    line: 'endpoint = ',
  },
  {
    what: 'port of an endpoint',
    hcl: replacing(node, 'endpoint', '"192.0.2.7:70000"'),
    says: ['endpoint: 70000 is not a port; expected 1 to 65535'],
  },
  { what: 'node name', hcl: replacing(node, 'name', '"east/1"'), says: ['name: "east/1" is not a node name'], line: 'name = ' },
  {
    what: 'no way to join',
    hcl: replacing(node, 'endpoint', 'null\n  attestation = { join_token = false }'),
    says: ['attestation.join_token: false leaves the node no way to join'],
  },
  {
    what: 'trust domain',
    hcl: replacing(node, 'trust_domain', '"East.example"'),
    says: ['trust_domain: "East.example" is not a trust domain: only lower-case'],
    line: 'trust_domain',
  },
  {
    what: 'trust domain without authority',
    hcl: replacing(node, 'trust_domain', '"west.example"'),
    says: [
      'No authority of west.example',
      'trust_domain: the provider has no authority of the trust domain west.example (it has: east.example)',
    ],
    line: 'trust_domain',
  },
  {
    what: 'port of traffic',
    hcl: replacing(policy, 'traffic', '["tcp/0"]'),
    says: ['traffic["tcp/0"]', 'has the port 0, which is not within 1 to 65535'],
    line: 'traffic',
  },
  {
    what: 'traffic',
    hcl: replacing(policy, 'traffic', '["http"]'),
    says: ['traffic["http"]', 'is not a class of traffic; expected tcp/8443'],
  },
  {
    what: 'member of sources',
    hcl: replacing(policy, 'sources', '{ spiffe_ids = ["spiffe://east.example/a b"] }'),
    says: ['sources.spiffe_ids["spiffe://east.example/a b"]', 'letters, digits'],
  },
  {
    what: 'nobody',
    hcl: replacing(policy, 'destinations', '{ trust_domains = [] }'),
    says: ['destinations: it names nobody'],
    line: 'destinations',
  },
  {
    what: 'what is not supported yet',
    hcl: replacing(policy, 'traffic', '["any"]\n  protection = "encrypted"'),
    says: ['protection: "encrypted" is not supported yet; expected "authenticated"'],
  },
  { what: 'policy name', hcl: replacing(policy, 'name', '"a/b"'), says: ['name:', '"a/b" is not a policy name'] },
  {
    what: 'prefix of a trust domain',
    hcl: domain.replace('\n}', '\n  address_prefixes = ["fe80::1/10"]\n}'),
    says: ['address_prefixes["fe80::1/10"]', 'did you mean fe80::/10?'],
  },
  {
    what: 'prefix of an unknown ID',
    hcl: `resource "terraform_data" "x" {}\n${replacing(identity(''), 'parent_id', '"spiffe://west.example/symbolon/node/${terraform_data.x.id}"')}`,
    says: ["parent_id: its trust domain is west.example, while the identity's is east.example"],
  },
  {
    what: 'prefix of an unknown ID without authority',
    hcl: `resource "terraform_data" "x" {}\n${replacing(replacing(identity(''), 'spiffe_id', '"spiffe://west.example/${terraform_data.x.id}"'), 'parent_id', '"spiffe://west.example/symbolon/node/w"')}`,
    says: ['No authority of west.example'],
  },
  {
    what: 'malformed beginning of an unknown ID',
    hcl: `resource "terraform_data" "x" {}\n${replacing(identity(''), 'spiffe_id', '"spiffe:/east.example/${terraform_data.x.id}"')}`,
    says: ['spiffe_id: a text that begins with "spiffe:/east.example/" is no SPIFFE ID'],
  },
];

describe('found at plan, with the path', () => {
  test.each(ROWS)('$what', async ({ hcl, says, line }) => {
    terraform.write(`${PROVIDER}${hcl}\n`);
    const result = await terraform.run('plan', '-input=false');
    const text = flat(result.output);
    for (const part of says) expect(text).toContain(part);
    if (line !== undefined) expect(result.output).toMatch(new RegExp(`^\\s*\\d+:\\s+${line.replaceAll(/[.*+?^$[\]{}()|]/g, '\\$&')}`, 'm'));
    expect(result.code).toBe(1);
  });
});

const PROVIDER_ROWS: readonly { readonly what: string; readonly hcl: string; readonly says: string }[] = [
  {
    what: 'two ways to an authority',
    hcl: 'authorities = { "east.example" = { unix_socket = "/a", address = "a:1" } }',
    says: 'authorities["east.example"]: expected either unix_socket or address',
  },
  {
    what: 'no way to an authority',
    hcl: 'authorities = { "east.example" = {} }',
    says: 'authorities["east.example"]: expected either unix_socket or address',
  },
  {
    what: 'an empty socket',
    hcl: 'authorities = { "east.example" = { unix_socket = "" } }',
    says: 'authorities["east.example"].unix_socket: it is empty',
  },
  {
    what: 'an empty key',
    hcl: 'authorities = { "east.example" = { address = "a:1", cert = "c", key = "", bundle = "b" } }',
    says: 'authorities["east.example"].key: it is empty',
  },
  {
    what: 'address without proof',
    hcl: 'authorities = { "east.example" = { address = "a:1", cert = "c" } }',
    says: 'address needs cert, key and bundle, too; key and bundle missing',
  },
  {
    what: 'key of the map',
    hcl: 'authorities = { "East" = { unix_socket = "/a" } }',
    says: 'authorities["East"]: "East" is not a trust domain',
  },
  {
    what: 'address',
    hcl: 'authorities = { "east.example" = { address = "a" } }',
    says: 'authorities["east.example"].address: "a" is not an address with a port',
  },
  {
    what: 'time to wait',
    hcl: 'wait_for_enforcement = { timeout = "ten" }',
    says: 'wait_for_enforcement.timeout: "ten" is not a duration',
  },
  {
    what: 'what to do then',
    hcl: 'wait_for_enforcement = { on_timeout = "fail" }',
    says: 'wait_for_enforcement.on_timeout: "fail" is none of the known words',
  },
];

describe('the provider block', () => {
  test.each(PROVIDER_ROWS)('$what', async ({ hcl, says }) => {
    terraform.write(`provider "symbolon" {\n  ${hcl}\n}\n${domain}\n`);
    const result = await terraform.run('plan', '-input=false');
    expect(flat(result.output)).toContain(says);
    expect(result.code).toBe(1);
  });
});

test('a key that is no key is not shown', async () => {
  terraform.write(
    `provider "symbolon" {\n  authorities = { "east.example" = { address = "127.0.0.1:1", cert = "/etc/hostname", key = "-----BEGIN tippecanoe", bundle = "/etc/hostname" } }\n}\n${domain}\n`,
  );
  const result = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(result.code).toBe(1);
  expect(result.output).toContain('Cannot create symbolon_trust_domain');
  expect(result.output).not.toContain('tippecanoe');
});

test.each(['cert', 'key', 'bundle'])('a %s without its BEGIN line is taken for a path, and not shown either, nor logged', async (name) => {
  const ca = await TestCa.create('east.example');
  const validity = { notBefore: instantFromMs(Date.now() - 60_000), notAfter: instantFromMs(Date.now() + 600_000) };
  const svid = await ca.issue('/symbolon/admin/test', validity);
  const files: Record<string, string> = {
    cert: certificatesToPem(svid.chain),
    key: svid.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    bundle: certificatesToPem([ca.der]),
  };
  for (const [field, text] of Object.entries(files)) writeFileSync(join(terraform.path, `${field}.pem`), text, { mode: 0o600 });
  const body = (files[name] ?? '').split('\n')[1] ?? '';
  const fields = ['cert', 'key', 'bundle'].map((field) => `${field} = "${field === name ? body : join(terraform.path, `${field}.pem`)}"`);
  terraform.write(
    `provider "symbolon" {\n  authorities = { "east.example" = {\naddress = "127.0.0.1:1"\n${fields.join('\n')}\n} }\n}\n${domain}\n`,
  );
  const logged = provider.events.length;
  const result = await terraform.run('apply', '-auto-approve', '-input=false');
  expect(result.code).toBe(1);
  expect(flat(result.output)).toContain(`authorities["east.example"].${name} is neither PEM`);
  const log = provider.events.slice(logged).join('\n');
  expect(log).toContain('error change failed');
  for (const text of [result.output, log]) expect(text).not.toContain(body.slice(0, 16));
});
