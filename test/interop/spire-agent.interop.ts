import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWorld, type World } from '../setup/world.ts';
import { spireAgent } from './go-program.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ identities: ['web', 'payments'], policies: [] });
}, 60_000);
afterAll(async () => {
  await world?.close();
});

test('api fetch x509: who the workload is, in words', async () => {
  for (const workload of ['web', 'payments']) {
    const { code, stdout } = await spireAgent(world.lab, workload, 'api', 'fetch', 'x509');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Received 1 svid after /);
    expect(stdout).toMatch(new RegExp(`^SPIFFE ID:\\s+spiffe://east.example/${workload}$`, 'm'));
    expect(stdout).toMatch(/^CA #1 Valid Until:/m);
  }
});

test('api fetch x509 -output json: the response as it is', async () => {
  const { stdout } = await spireAgent(world.lab, 'web', 'api', 'fetch', 'x509', '-output', 'json');
  const { svids, federated_bundles, crl } = JSON.parse(stdout) as {
    svids: { spiffe_id: string; x509_svid: string; bundle: string }[];
    federated_bundles: object;
    crl: unknown[];
  };
  expect(svids).toMatchObject([{ spiffe_id: 'spiffe://east.example/web' }]);
  const [leaf, ca] = [svids[0]?.x509_svid, svids[0]?.bundle].map((der) => new X509Certificate(Buffer.from(der ?? '', 'base64')));
  expect(leaf?.verify((ca as X509Certificate).publicKey)).toBe(true);
  expect([federated_bundles, crl]).toEqual([{}, []]);
});

test.each([
  ['an undeclared workload', 'stranger', ['api', 'fetch', 'x509'], /PermissionDenied desc = no identity for this process/],
  ['a JWT-SVID', 'web', ['api', 'fetch', 'jwt', '-audience', 'anybody'], /Unimplemented desc = .*X509-SVIDs only/],
  ['validation of a JWT-SVID', 'web', ['api', 'validate', 'jwt', '-audience', 'anybody', '-svid', 'x.y.z'], /Unimplemented desc =/],
])('%s is refused with the reason', async (_what, workload, command, reason) => {
  expect(await spireAgent(world.lab, workload, ...command)).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
});
