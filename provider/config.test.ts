import { expect, test } from '@jest/globals';
import { pluginEnvironment } from './config.ts';

const COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';

test('what core says through the environment', () => {
  const environment = pluginEnvironment({
    TF_PLUGIN_MAGIC_COOKIE: COOKIE,
    PLUGIN_CLIENT_CERT: 'pem',
    PLUGIN_UNIX_SOCKET_DIR: '/run/x',
    PLUGIN_MULTIPLEX_GRPC: 'true',
    TF_LOG: 'TRACE',
  });
  expect(environment).toEqual({
    startedByTerraform: true,
    clientCertificatePem: 'pem',
    socketDirectory: '/run/x',
    multiplexAsked: true,
    detailedLog: true,
  });
});

test('without a cookie, or with another, nobody but a person started it', () => {
  expect(pluginEnvironment({}).startedByTerraform).toBe(false);
  expect(pluginEnvironment({ TF_PLUGIN_MAGIC_COOKIE: 'x' }).startedByTerraform).toBe(false);
  expect(pluginEnvironment({})).toMatchObject({ multiplexAsked: false, detailedLog: false });
  expect('clientCertificatePem' in pluginEnvironment({ PLUGIN_CLIENT_CERT: '' })).toBe(false);
});
