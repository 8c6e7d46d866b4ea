import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

/** @peculiar/x509 with its metadata polyfill loaded and node's own cryptography. The only place that imports it here. */
export { x509 };
