// Constructs are made for what they add to the stack.
// oxlint-disable no-new
import { describe, expect, test } from '@jest/globals';
import { App, TerraformStack, TerraformVariable, Testing } from 'cdktf';
import {
  Action,
  AuthPolicy,
  Authority,
  Enforcement,
  Node,
  OnTimeout,
  PathPrefix,
  Port,
  ProviderSettings,
  Selector,
  Side,
  TrustDomain,
  WorkloadIdentity,
} from './index.ts';
import { golden, rowsOf, synth } from './testing/synth.ts';

const SOCKET = Authority.unixSocket('/run/east/admin.sock');

function east(stack: TerraformStack): TrustDomain {
  return new TrustDomain(stack, 'east', { trustDomain: 'east.example', authority: SOCKET });
}

function nodeOf(trustDomain: TrustDomain, id = 'east-1'): Node {
  return new Node(TerraformStack.of(trustDomain), id, { trustDomain, addressPrefixes: ['10.1.0.0/24'] });
}

function workload(placement: Node, id: string): WorkloadIdentity {
  return new WorkloadIdentity(TerraformStack.of(placement), id, { placement, selectors: [Selector.unixUid(1001)] });
}

function refusal(declare: (stack: TerraformStack) => void): string {
  try {
    declare(new TerraformStack(new App(), 'stack'));
  } catch (error) {
    return String(error);
  }
  throw new Error('nothing was refused');
}

/** The members of a small shop, in an order that a reader would choose. */
function shop(stack: TerraformStack, names: readonly string[]): void {
  ProviderSettings.configure(stack, { waitForEnforcement: { timeout: '20s', onTimeout: OnTimeout.ERROR } });
  const domain = new TrustDomain(stack, 'east', {
    trustDomain: 'east.example',
    authority: SOCKET,
    addressPrefixes: ['fd01::/32', '10.0.0.0/8'],
    enforcement: Enforcement.ALL,
    x509SvidTtl: '30m',
  });
  const node = new Node(stack, 'east-1', { trustDomain: domain, addressPrefixes: ['10.1.0.0/16'], endpoint: '192.0.2.1:7420' });
  const payments = new WorkloadIdentity(stack, 'payments', {
    placement: node,
    path: '/shop/payments',
    selectors: [Selector.unixUid(2), Selector.unixGid(2), Selector.cgroupPath('/apps/payments')],
    addresses: ['10.1.0.3', '10.1.0.2'],
    dnsNames: ['payments.example'],
    hint: 'main',
    enforcement: Enforcement.INBOUND,
    x509SvidTtl: '10m',
  });
  const clients = names.map((name) => workload(node, name));
  for (const client of clients) payments.allowFrom(client, [Port.tcp(8443), Port.udpRange(5000, 5100), Port.icmp()]);
  new AuthPolicy(stack, 'no-audit', {
    action: Action.DENY,
    sources: [...clients, domain],
    destinations: [payments],
    traffic: [Port.any()],
  });
}

describe('a stack', () => {
  test('is synthesised as the golden file says', () => {
    const made = synth((stack) => shop(stack, ['web', 'cache']), 'shop');
    expect(`${JSON.stringify(made, undefined, 2)}\n`).toBe(golden('shop', made));
  });

  test('keeps every row when a member is inserted, but those that name it', () => {
    const rows = (names: readonly string[]): Map<string, string> => {
      const resources = synth((stack) => shop(stack, names))['resource'] as Record<string, Record<string, unknown>>;
      const all = Object.entries(resources).flatMap(([type, byId]) =>
        Object.entries(byId).map(([id, row]) => [`${type}.${id}`, row] as const),
      );
      return new Map(all.map(([address, row]) => [address, JSON.stringify(row)]));
    };
    const before = rows(['web', 'cache']);
    const after = rows(['batch', 'web', 'cache']);
    const added = [...after.keys()].filter((address) => !before.has(address));
    const changed = [...before].filter(([address, row]) => after.get(address) !== row).map(([address]) => address);
    expect(added).toEqual([expect.stringMatching(/^symbolon_auth_policy\.payments_allow-from-batch_/), 'symbolon_identity.batch']);
    expect(changed).toEqual([expect.stringMatching(/^symbolon_auth_policy\.no-audit_/)]);
  });

  test('does not change with the order of members, prefixes or traffic', () => {
    expect(synth((stack) => shop(stack, ['cache', 'web']))['resource']).toEqual(
      synth((stack) => shop(stack, ['web', 'cache']))['resource'],
    );
  });

  test('has one provider block for all its trust domains, owned by the stack', () => {
    const made = synth((stack) => {
      east(stack);
      new TrustDomain(stack, 'west', {
        trustDomain: 'west.example',
        authority: Authority.address('192.0.2.9:7421', { cert: 'admin.pem', key: 'admin.key', bundle: 'ca.pem' }),
      });
    });
    expect(made['provider']).toEqual({
      symbolon: [
        {
          authorities: {
            'east.example': { unix_socket: '/run/east/admin.sock' },
            'west.example': { address: '192.0.2.9:7421', cert: 'admin.pem', key: 'admin.key', bundle: 'ca.pem' },
          },
          owner: 'stack',
        },
      ],
    });
  });

  test('names things by their IDs in Terraform', () => {
    const made = synth((stack) => shop(stack, ['web']));
    expect(Object.keys(rowsOf(made, 'symbolon_identity'))).toEqual(['payments', 'web']);
    expect(Object.keys(rowsOf(made, 'symbolon_node'))).toEqual(['east-1']);
  });
});

describe('policies', () => {
  test('between two declared trust domains become a row in each, for its own side', () => {
    const made = synth((stack) => {
      const westDomain = new TrustDomain(stack, 'west', { trustDomain: 'west.example', authority: Authority.unixSocket('/run/west.sock') });
      const payments = workload(nodeOf(east(stack)), 'payments');
      const ledger = workload(nodeOf(westDomain, 'west-1'), 'ledger');
      ledger.allowFrom(payments, [Port.tcp(9443)]);
    });
    const rows = Object.values(rowsOf(made, 'symbolon_auth_policy')).map(({ trust_domain, name, side }) => ({ trust_domain, name, side }));
    expect(rows).toEqual([
      { trust_domain: 'east.example', name: 'east.example.payments-to-ledger', side: 'egress' },
      { trust_domain: 'west.example', name: 'east.example.payments-to-ledger', side: 'ingress' },
    ]);
  });

  test('have no row in a trust domain that is only named', () => {
    const made = synth((stack) => {
      const foreign = WorkloadIdentity.fromSpiffeId(stack, 'foreign', 'spiffe://west.example/ns/web');
      workload(nodeOf(east(stack)), 'payments').allowFrom(foreign, [Port.tcp(1)]);
    });
    const [row, ...others] = Object.values(rowsOf(made, 'symbolon_auth_policy'));
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      name: 'west.example.ns.web-to-payments',
      side: 'ingress',
      sources: { spiffe_ids: ['spiffe://west.example/ns/web'] },
    });
  });

  test.each([
    [Side.EGRESS, 'egress'],
    [Side.INGRESS, 'ingress'],
    [Side.BOTH, 'both'],
  ])('can be meant for one side only: %s', (side, expected) => {
    const made = synth((stack) => {
      const node = nodeOf(east(stack));
      workload(node, 'payments').allowFrom(workload(node, 'web'), [Port.tcp(1)], { side });
    });
    expect(Object.values(rowsOf(made, 'symbolon_auth_policy'))).toMatchObject([{ side: expected }]);
  });

  test('name path prefixes and trust domains', () => {
    const made = synth((stack) => {
      const domain = east(stack);
      new AuthPolicy(stack, 'p', { sources: [PathPrefix.of(domain, '/shop')], destinations: [domain], traffic: [Port.protocol(132)] });
    });
    expect(Object.values(rowsOf(made, 'symbolon_auth_policy'))).toMatchObject([
      {
        sources: { path_prefixes: ['spiffe://east.example/shop'] },
        destinations: { trust_domains: ['east.example'] },
        traffic: ['protocol/132'],
        action: 'allow',
      },
    ]);
  });
});

/** All orders of a few things. */
function orders<T>(things: readonly T[]): readonly (readonly T[])[] {
  return things.length < 2 ? [things] : things.flatMap((thing, i) => orders(things.toSpliced(i, 1)).map((rest) => [thing, ...rest]));
}

describe('parties that are declared here and elsewhere', () => {
  const PARTIES = ['declared', 'byId', 'byName'] as const;
  type Party = (typeof PARTIES)[number];

  /** A policy of the stack's or another stack's trust domain, in which parties of that very trust domain are named as if it were foreign. */
  function made(order: readonly Party[], isOwnStack: boolean): Record<string, unknown> {
    const app = new App();
    const team = new TerraformStack(app, 'team');
    const owner = isOwnStack ? team : new TerraformStack(app, 'owner');
    const all = {
      declared: workload(nodeOf(east(owner)), 'web'),
      byId: WorkloadIdentity.fromSpiffeId(team, 'other', 'spiffe://east.example/other'),
      byName: TrustDomain.fromName(team, 'east-by-name', 'east.example'),
    };
    const [first, ...rest] = order.map((name) => all[name]);
    new AuthPolicy(team, 'p', { sources: first ? [first] : [], destinations: rest, traffic: [Port.any()], action: Action.DENY });
    return JSON.parse(Testing.synth(team, true)) as Record<string, unknown>;
  }

  test.each(orders(PARTIES).flatMap((order) => [[order, true] as const, [order, false] as const]))(
    'make the same row in any order: %j, in one stack: %s',
    (order, isOwnStack) => {
      const [row, ...others] = Object.values(rowsOf(made(order, isOwnStack), 'symbolon_auth_policy'));
      expect(others).toEqual([]);
      expect(row).toMatchObject({ trust_domain: 'east.example', side: 'both', action: 'deny' });
      expect(row?.['depends_on']).toEqual(isOwnStack ? ['symbolon_trust_domain.east'] : undefined);
    },
  );

  test('wait for the settings even if no party of the policy is the declared one', () => {
    const configuration = synth((stack) => {
      east(stack);
      const web = WorkloadIdentity.fromSpiffeId(stack, 'web', 'spiffe://east.example/web');
      new AuthPolicy(stack, 'p', { sources: [web], destinations: [web], traffic: [Port.any()] });
    });
    expect(Object.values(rowsOf(configuration, 'symbolon_auth_policy'))).toMatchObject([{ depends_on: ['symbolon_trust_domain.east'] }]);
  });

  test('are refused in any order where nobody has the authority', () => {
    for (const order of orders(['a', 'b'])) {
      const why = refusal((stack) => {
        const parties = order.map((name) => WorkloadIdentity.fromSpiffeId(stack, name, `spiffe://east.example/${name}`));
        new AuthPolicy(stack, 'p', { sources: parties, destinations: parties, traffic: [Port.any()] });
      });
      expect(why).toContain('nothing would enforce it');
    }
  });
});

test('a pair of workloads may have several policies, each with an address of its own', () => {
  const made = (...names: readonly (string | undefined)[]): readonly string[] => {
    const configuration = synth((stack) => {
      const node = nodeOf(east(stack));
      const web = workload(node, 'web');
      const payments = workload(node, 'payments');
      names.forEach((policyName, i) => payments.allowFrom(web, [Port.tcp(1 + i)], policyName === undefined ? {} : { policyName }));
    });
    return Object.keys(rowsOf(configuration, 'symbolon_auth_policy'));
  };
  const all = made(undefined, 'first', 'second');
  expect(new Set(all).size).toBe(3);
  expect(all).toContain(made('second')[0]);
  expect(() => made('first', 'first')).toThrow(/stack\/payments: policyName: web is allowed to reach payments already/);
  expect(() => made(undefined, undefined)).toThrow(/give one of them another policyName/);
});

describe('several stacks', () => {
  test('can add nodes and policies to a trust domain that another one declares', () => {
    const app = new App();
    const owner = new TerraformStack(app, 'owner');
    const web = workload(nodeOf(east(owner)), 'web');
    const team = new TerraformStack(app, 'team');
    const policy = new AuthPolicy(team, 'p', { sources: [web], destinations: [web], traffic: [Port.any()] });
    const made = JSON.parse(Testing.synth(team)) as Record<string, unknown>;
    expect(policy.resources['east.example']?.dependsOn ?? []).toEqual([]);
    expect(made['provider']).toMatchObject({
      symbolon: [{ authorities: { 'east.example': { unix_socket: '/run/east/admin.sock' } }, owner: 'team' }],
    });
  });

  test('can share a trust domain by its name and authority', () => {
    const made = synth((stack) => {
      const domain = TrustDomain.fromAttributes(stack, 'east', { trustDomain: 'east.example', authority: SOCKET });
      const placement = Node.fromName(stack, 'east-1', domain, 'east-1');
      new WorkloadIdentity(stack, 'web', { placement, selectors: [Selector.of('unix', 'uid:7')] });
    });
    expect(made['resource']).toEqual({
      symbolon_identity: {
        web: { parent_id: 'spiffe://east.example/symbolon/node/east-1', selectors: ['unix:uid:7'], spiffe_id: 'spiffe://east.example/web' },
      },
    });
  });
});

describe('values that are known at apply only', () => {
  test('are left to the provider', () => {
    const made = synth((stack) => {
      const uid = new TerraformVariable(stack, 'uid', { type: 'number' });
      const prefix = new TerraformVariable(stack, 'prefix', { type: 'string' });
      const node = new Node(stack, 'n', {
        trustDomain: east(stack),
        addressPrefixes: [prefix.stringValue],
        endpoint: `${prefix.stringValue}:7420`,
      });
      new WorkloadIdentity(stack, 'web', {
        placement: node,
        selectors: [Selector.unixUid(uid.numberValue)],
        addresses: [prefix.stringValue],
      });
      new AuthPolicy(stack, 'p', { sources: [node.trustDomain], destinations: [node.trustDomain], traffic: [Port.tcp(uid.numberValue)] });
    });
    expect(rowsOf(made, 'symbolon_node')['n']).toMatchObject({ address_prefixes: ['${var.prefix}'], endpoint: '${var.prefix}:7420' });
    expect(rowsOf(made, 'symbolon_identity')['web']).toMatchObject({ selectors: ['unix:uid:${var.uid}'] });
    expect(Object.values(rowsOf(made, 'symbolon_auth_policy'))).toMatchObject([{ traffic: ['tcp/${var.uid}'] }]);
  });
});

describe('mistakes are refused where they are made', () => {
  const bad = (props: Partial<ConstructorParameters<typeof WorkloadIdentity>[2]>) => (stack: TerraformStack) =>
    void new WorkloadIdentity(stack, 'web', { placement: nodeOf(east(stack)), selectors: [Selector.unixUid(1)], ...props });

  test.each<[string, (stack: TerraformStack) => void, RegExp]>([
    [
      'a trust domain’s name',
      (s) => void new TrustDomain(s, 'x', { trustDomain: 'East', authority: SOCKET }),
      /stack\/x: trustDomain: "East"/,
    ],
    [
      'its prefix',
      (s) => void new TrustDomain(s, 'x', { trustDomain: 'a', authority: SOCKET, addressPrefixes: ['10.0.0.0/8', '10.0.0.1/8'] }),
      /addressPrefixes\[1\]: .*did you mean 10\.0\.0\.0\/8/,
    ],
    [
      'its lifetime',
      (s) => void new TrustDomain(s, 'x', { trustDomain: 'a', authority: SOCKET, x509SvidTtl: '250ms' }),
      /x509SvidTtl: "250ms"/,
    ],
    [
      'a lifetime of more than a year',
      (s) => void new TrustDomain(s, 'x', { trustDomain: 'a', authority: SOCKET, x509SvidTtl: '8785h' }),
      /x509SvidTtl: "8785h" is not a lifetime/,
    ],
    [
      'a trust domain declared twice',
      (s) => [east(s), new TrustDomain(s, 'y', { trustDomain: 'east.example', authority: SOCKET })],
      /already/,
    ],
    [
      'a trust domain known at apply only',
      (s) => void TrustDomain.fromName(s, 'x', new TerraformVariable(s, 'v', {}).stringValue),
      /known when the program runs/,
    ],
    ['a node’s name', (s) => void new Node(s, 'n', { trustDomain: east(s), nodeName: '.n', addressPrefixes: ['10.0.0.0/8'] }), /nodeName/],
    ['a node without prefixes', (s) => void new Node(s, 'n', { trustDomain: east(s), addressPrefixes: [] }), /speaks for nobody/],
    [
      'a node’s endpoint',
      (s) => void new Node(s, 'n', { trustDomain: east(s), addressPrefixes: ['10.0.0.0/8'], endpoint: 'host' }),
      /endpoint/,
    ],
    [
      'a node of a trust domain without authority',
      (s) => void new Node(s, 'n', { trustDomain: TrustDomain.fromName(s, 'w', 'west.example'), addressPrefixes: ['10.0.0.0/8'] }),
      /no authority of west\.example/,
    ],
    ['a path without slash', bad({ path: 'web' }), /stack\/web: path: .*must start with a slash/],
    ['a reserved path', bad({ path: '/symbolon/node/x' }), /reserved/],
    ['no selectors', bad({ selectors: [] }), /every process/],
    ['an address', bad({ addresses: ['10.1.0.0/16'] }), /addresses\[0\]/],
    ['an imported ID', (s) => void WorkloadIdentity.fromSpiffeId(s, 'x', 'spiffe://a.example'), /has no path/],
    ['a port', () => void Port.tcp(0), /port 0/],
    ['a port range', () => void Port.udpRange(2, 1), /falling order/],
    ['a user number', () => void Selector.unixUid(-1), /-1/],
    ['a user number that no user has', () => void Selector.unixUid(2 ** 32 - 1), /expected 0 to 4294967294/],
    ['half a user', () => void Selector.unixGid(0.5), /0\.5/],
    ['a selector that no agent attests', () => void Selector.of('k8s', 'ns:shop'), /no agent attests/],
    ['a path prefix', (s) => void PathPrefix.of(east(s), '/shop/'), /must not end with a slash/],
    [
      'two policies of one name',
      (s) => {
        const web = workload(nodeOf(east(s)), 'web');
        web.allowFrom(web, [Port.tcp(1)]);
        new AuthPolicy(s, 'p', { sources: [web], destinations: [web], traffic: [Port.tcp(2)], policyName: 'web-to-web' });
      },
      /stack\/web\/allow-from-web has the name web-to-web/,
    ],
    [
      'two nodes of one name',
      (s) => {
        const domain = east(s);
        nodeOf(domain, 'east-1');
        new Node(s, 'other', { trustDomain: domain, nodeName: 'east-1', addressPrefixes: ['10.2.0.0/16'] });
      },
      /stack\/other: nodeName: stack\/east-1 is the node east-1 of east\.example already/,
    ],
    [
      'two identities of one ID, node and selectors',
      (s) => {
        const placement = nodeOf(east(s));
        const of = (id: string, ...selectors: Selector[]) => new WorkloadIdentity(s, id, { placement, path: '/web', selectors });
        of('a', Selector.unixUid(1), Selector.unixGid(2));
        of('b', Selector.unixUid(1));
        of('c', Selector.unixGid(2), Selector.unixUid(1));
      },
      /stack\/c: selectors: stack\/a is the identity spiffe:\/\/east\.example\/web on/,
    ],
    ['a policy’s name', (s) => void new AuthPolicy(s, 'a b', { sources: [east(s)], destinations: [], traffic: [] }), /policyName/],
    [
      'a policy without sources',
      (s) => void new AuthPolicy(s, 'p', { sources: [], destinations: [east(s)], traffic: [Port.any()] }),
      /sources: it is empty/,
    ],
    [
      'a policy that nothing would enforce',
      (s) => {
        const west = TrustDomain.fromName(s, 'w', 'west.example');
        new AuthPolicy(s, 'p', { sources: [west], destinations: [west], traffic: [Port.any()] });
      },
      /nothing would enforce it/,
    ],
    [
      'a trust domain declared after a policy that has no row there',
      (s) => {
        const west = TrustDomain.fromName(s, 'w', 'west.example');
        new AuthPolicy(s, 'p', { sources: [east(s)], destinations: [west], traffic: [Port.any()] });
        new TrustDomain(s, 'west', { trustDomain: 'west.example', authority: SOCKET });
      },
      /declare trust domains before policies/,
    ],
  ])('%s', (_, declare, message) => {
    expect(refusal(declare)).toMatch(message);
  });
});
