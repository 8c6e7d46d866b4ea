// The quickstart: one trust domain, three nodes, five workloads, and who may talk to whom about what.
// Facts about the machines come from `symbolon lab status --json`; in a real program they are constants or other resources' outputs.
//   SYMBOLON_LAB  the file that holds them
//   WITHOUT       the name of a policy to leave out, like reports-to-payments: apply again, and its connections are cut
import { readFileSync } from 'node:fs';
import { App, TerraformStack } from 'cdktf';
import { Authority, Node, Port, ProviderSettings, Selector, TrustDomain, WorkloadIdentity } from 'symbolon/constructs';

interface Lab {
  readonly authority: { readonly adminSocket: string };
  readonly nodes: readonly { readonly name: string; readonly prefixes: string[]; readonly agent: { readonly endpoint: string } }[];
  readonly workloads: readonly { readonly name: string; readonly node: string; readonly uid: number; readonly addresses: string[] }[];
}

function readLab(): Lab {
  const file = process.env['SYMBOLON_LAB'];
  if (!file)
    throw new Error(
      'SYMBOLON_LAB is not set; make the file with: npx symbolon lab status --json > lab.json; export SYMBOLON_LAB=$PWD/lab.json',
    );
  return JSON.parse(readFileSync(file, 'utf8')) as Lab;
}

function named<T extends { readonly name: string }>(things: readonly T[], name: string): T {
  const found = things.find((thing) => thing.name === name);
  if (!found) throw new Error(`the lab has no ${name}`);
  return found;
}

const lab = readLab();
const app = new App();
const stack = new TerraformStack(app, 'quickstart');
// An apply is over when the agents enforce it, not when the authority has heard of it.
ProviderSettings.configure(stack, { waitForEnforcement: { timeout: '10s' } });

const east = new TrustDomain(stack, 'east', { trustDomain: 'east.example', authority: Authority.unixSocket(lab.authority.adminSocket) });

const node = (name: string): Node => {
  const { prefixes, agent } = named(lab.nodes, name);
  return new Node(stack, name, { trustDomain: east, addressPrefixes: prefixes, endpoint: agent.endpoint });
};
const east1 = node('east-1');
const east2 = node('east-2');
const east3 = node('east-3');

const workload = (placement: Node, name: string): WorkloadIdentity => {
  const { uid, addresses } = named(lab.workloads, name);
  return new WorkloadIdentity(stack, name, { placement, selectors: [Selector.unixUid(uid)], addresses });
};
const web = workload(east1, 'web');
workload(east1, 'batch');
const payments = workload(east2, 'payments');
const cache = workload(east2, 'cache');
const reports = workload(east3, 'reports');

// Nothing else passes: a workload with an identity is reached by proven workloads that a policy names, and by nobody else.
const allow = (source: WorkloadIdentity, traffic: Port[]): void => {
  if (`${source.partyName}-to-${payments.partyName}` !== process.env['WITHOUT']) payments.allowFrom(source, traffic);
};
allow(web, [Port.tcp(8443), Port.udp(5353), Port.icmp()]);
allow(cache, [Port.tcp(8443)]);
allow(reports, [Port.tcp(8443)]);

app.synth();
