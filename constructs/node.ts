import { Token } from 'cdktf';
import { Construct } from 'constructs';
import { parseIpPrefix } from '#core/network/prefix';
import { parseAgentEndpoint } from '#core/registration/agent-endpoint';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { checkProp, checkProps, knownText, refuseProp, sortedTexts } from './checks.ts';
import { NodeResource } from './gen/node-resource.ts';
import { ProviderSettings } from './provider-settings.ts';
import { requireWritable, waitFor } from './rows.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

/** Where a workload runs. */
export interface IPlacement {
  /** The trust domain that vouches for it. */
  readonly trustDomain: ITrustDomain;
  /** The node's SPIFFE ID. */
  readonly nodeId: string;
}

export interface NodeProps {
  readonly trustDomain: ITrustDomain;
  /**
   * Its name, unique in the trust domain.
   * @default - the construct's ID
   */
  readonly nodeName?: string;
  /** Prefixes whose addresses the node may speak for: those of its workloads. */
  readonly addressPrefixes: string[];
  /**
   * Where other nodes' agents reach this node's: `192.0.2.7:7420` or `[2001:db8::7]:7420`.
   * @default - its workloads and those of other nodes cannot authenticate to each other
   */
  readonly endpoint?: string;
}

/** The ID of a node of a trust domain; a name that is known at apply only gives an ID of that kind. */
function nodeId(scope: Construct, trustDomain: ITrustDomain, name: string): string {
  const domain = trustDomain.trustDomainName;
  checkProp(scope, 'nodeName', name, (text) => nodeSpiffeId(parseTrustDomain(domain), text));
  return Token.isUnresolved(name) ? `spiffe://${domain}/symbolon/node/${name}` : nodeSpiffeId(parseTrustDomain(domain), name);
}

class ImportedNode extends Construct implements IPlacement {
  readonly nodeId: string;

  constructor(
    scope: Construct,
    id: string,
    readonly trustDomain: ITrustDomain,
    nodeName: string,
  ) {
    super(scope, id);
    this.nodeId = nodeId(this, trustDomain, nodeName);
  }
}

/** A machine whose agent authenticates the workloads on it. The agent joins by itself, with a one-time token from the authority. */
export class Node extends Construct implements IPlacement {
  /** A node that another stack declares: workloads can be placed on it. */
  static fromName(scope: Construct, id: string, trustDomain: ITrustDomain, nodeName: string): IPlacement {
    return new ImportedNode(scope, id, trustDomain, nodeName);
  }

  readonly trustDomain: ITrustDomain;
  readonly nodeName: string;
  readonly nodeId: string;
  /** The row in Terraform. */
  readonly resource: NodeResource;

  constructor(scope: Construct, id: string, props: NodeProps) {
    super(scope, id);
    this.trustDomain = props.trustDomain;
    this.nodeName = knownText(this, 'nodeName', props.nodeName ?? id);
    this.nodeId = nodeId(this, props.trustDomain, this.nodeName);
    checkProps(this, 'addressPrefixes', props.addressPrefixes, parseIpPrefix);
    if (props.addressPrefixes.length === 0)
      refuseProp(this, 'addressPrefixes', '', 'it is empty; a node without prefixes speaks for nobody');
    checkProp(this, 'endpoint', props.endpoint, parseAgentEndpoint);
    requireWritable(this, 'trustDomain', props.trustDomain);
    const settings = ProviderSettings.of(this);
    settings.claim(this, 'nodeName', `node ${this.nodeId}`, `the node ${this.nodeName} of ${props.trustDomain.trustDomainName}`);
    this.resource = new NodeResource(this, 'Default', {
      trustDomain: props.trustDomain.trustDomainName,
      name: this.nodeName,
      addressPrefixes: sortedTexts(props.addressPrefixes),
      ...(props.endpoint === undefined ? {} : { endpoint: props.endpoint }),
      ...waitFor(this, settings.settingsOf(props.trustDomain.trustDomainName)),
    });
  }
}
