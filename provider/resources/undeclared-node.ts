import { nodeNameOf } from '#core/registration/node-id';
import { parseSpiffeId, trustDomainOf } from '#core/spiffe/id';
import type { Connections } from '../authority/connections.ts';
import type { Operation } from '../plugin/resource.ts';

/** Warns of an identity on a node that is not declared: no agent can join as that node, and the identity is given to nobody. */
export async function warnOfUndeclaredNode(parentId: string, { connection, report, signal }: Operation<Connections>): Promise<void> {
  const id = parseSpiffeId(parentId);
  const name = nodeNameOf(id);
  const trustDomain = trustDomainOf(id);
  if (name === undefined || signal.aborted || (await connection.get(trustDomain).hasNode(name, signal))) return;
  report.warning(
    'Identity on an undeclared node',
    `parent_id: the authority of ${trustDomain} has no node ${name} yet, and until it has, nobody gets this identity. Declare the node, and refer to it as symbolon_node.<name>.spiffe_id, so that it is made first.`,
  );
}
