import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { adminSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { certificatesToPem } from '#core/spiffe/pem';
import { callUnary } from '#daemon/grpc/call';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import { writePrivateFile } from '#daemon/unix/private-file';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { createCsr } from '../ca/create-csr.ts';

export interface AdminSvidOptions {
  readonly adminSocket: string;
  readonly outFolder: string;
  readonly name: string;
  readonly rights: 'read' | 'write';
  readonly ttlSeconds: number;
}

/** Gets an administrator's SVID from a running authority and writes svid.pem, key.pem (0600) and bundle.pem. Returns its SPIFFE ID. */
export async function writeAdminSvid(options: AdminSvidOptions): Promise<string> {
  const client = openClient(dialUnix(options.adminSocket));
  try {
    const bundle = await callUnary(client, BundleService.getBundle, { outputMask: undefined });
    const id = adminSpiffeId(parseTrustDomain(bundle.trustDomain), options.name, options.rights);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const csr = await createCsr(privateKey, id);
    const { svid } = await callUnary(client, SVIDService.mintX509Svid, { csr: Buffer.from(csr), ttl: options.ttlSeconds });
    if (!svid)
      throw new SymbolonError('RPC_FAILED', 'the authority answered without an SVID', { method: SVIDService.mintX509Svid.path, status: 0 });
    mkdirSync(options.outFolder, { recursive: true, mode: 0o700 });
    // The key first: a certificate without its key would look finished.
    writePrivateFile(join(options.outFolder, 'key.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    writeFileSync(join(options.outFolder, 'svid.pem'), certificatesToPem(svid.certChain));
    writeFileSync(join(options.outFolder, 'bundle.pem'), certificatesToPem(bundle.x509Authorities.map((authority) => authority.asn1)));
    return id;
  } finally {
    client.close();
  }
}
