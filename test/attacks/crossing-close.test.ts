import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { TestCa } from '#core/spiffe/testing/ca';
import type { EndpointId } from '../../agent/datapath/contract.ts';
import { startTwoAgents, type TestAgent } from '../../agent/pair/testing/test-agent.ts';
import { Tombstones } from '../../agent/pair/tombstones.ts';
import { tcpFlow, until } from '../../agent/session/testing/links.ts';

const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);

let one: TestAgent;
let two: TestAgent;
let web: EndpointId;

beforeEach(async () => {
  ({ one, two, web } = await startTwoAgents(await TestCa.create()));
  // The server's node closes the pair in the moment in which it has admitted it: its PairClose overtakes its PairResponse.
  const install = two.datapath.installPair.bind(two.datapath);
  two.datapath.installPair = (spec) => {
    install(spec);
    queueMicrotask(() => {
      two.node.ingress = () => [];
      two.viewChanged();
    });
  };
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([one.manager.close(), two.manager.close()]);
});

test('a PairClose that overtakes the install that it is about leaves nothing behind', async () => {
  const closes = jest.spyOn(Tombstones.prototype, 'add');
  one.datapath.send(web, FLOW);
  await until(() => one.datapath.forgotten.length > 0 || one.datapath.refusals.length > 0);
  expect(closes).toHaveBeenCalled();
  expect(one.datapath.history).toEqual([]);
  expect(two.datapath.rows.size).toBe(0);
});

test("without tombstones the client's node would install what its peer has closed", async () => {
  jest.spyOn(Tombstones.prototype, 'has').mockReturnValue(false);
  one.datapath.send(web, FLOW);
  await until(() => one.datapath.history.length > 0);
  expect(one.datapath.history[0]).toMatch(/^install client/);
  expect(two.datapath.rows.size).toBe(0);
});
