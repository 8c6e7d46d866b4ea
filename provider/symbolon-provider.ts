import type { Connections } from './authority/connections.ts';
import { bundleDataSource } from './data/bundle.ts';
import type { Provider } from './plugin/resource.ts';
import type { Attributes } from './plugin/schema/attribute.ts';
import { checkProviderBlock, configureConnections, providerAttributes } from './provider-block.ts';
import { authPolicyResource } from './resources/auth-policy.ts';
import { identityResource } from './resources/identity.ts';
import { nodeResource } from './resources/node.ts';
import { trustDomainResource } from './resources/trust-domain.ts';

const provider: Provider<typeof providerAttributes, Connections> = {
  description: 'Mutual authentication as code: SPIFFE trust domains, nodes, identities and auth policies, enforced by eBPF.',
  attributes: providerAttributes,
  resources: [trustDomainResource, nodeResource, identityResource, authPolicyResource],
  dataSources: [bundleDataSource],
  check: checkProviderBlock,
  configure: configureConnections,
  close: (connections) => connections.close(),
};

/** The provider `symbolon`. */
export const symbolonProvider: Provider<Attributes, Connections> = provider;
