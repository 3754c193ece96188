import { requireUnbentEnvironment } from '../../../src/commands/environment.ts';
import { requireListed } from '../../../src/commands/listed-registry.ts';
import type { Contract } from '../../../src/contract/load-contract.ts';

describe('the environment of a trusted job', () => {
  it.each([
    'NODE_OPTIONS',
    'NODE_COMPILE_CACHE',
    'NODE_DEBUG',
    'OPENSSL_CONF',
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'NODE_EXTRA_CA_CERTS',
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'HTTPS_PROXY',
    'https_proxy',
    'All_Proxy',
  ])('with %s is refused by name, without its value', (name) => {
    const set = () => requireUnbentEnvironment({ PATH: '/bin', [name]: 'http://user:hunter2@127.0.0.1' });
    expect(set).toThrow(expect.objectContaining({ exit: 2, code: 'environment.redirected' }));
    expect(set).toThrow(new RegExp(`^${name} is set`));
    expect(set).not.toThrow(/hunter2/);
  });

  it('with what a runner sets, and with an empty variable, is as it must be', () => {
    const env = {
      PATH: '/bin',
      HOME: '/root',
      NODE_OPTIONS: '',
      NODE_ENV: 'test',
      AWS_ENDPOINT_URL: 'http://x',
      CI: 'true',
    };
    expect(() => requireUnbentEnvironment(env)).not.toThrow();
  });
});

describe('a registry', () => {
  const contract = { file: { registries: ['registry.example.org', 'ghcr.io/acme'] } } as Contract;

  it.each(['registry.example.org/app/web', 'ghcr.io/acme/app'])('that the contract lists may get %s', (image) => {
    expect(() => requireListed(image, contract)).not.toThrow();
  });

  it.each([
    'evil.example.org/app/web',
    'registry.example.org.evil.example/app',
    'registry.example.org:5000/app',
    'ghcr.io/acmeevil/app',
    'ghcr.io/acme',
    'ghcr.io/other/app',
  ])('that it does not list gets nothing: %s', (image) => {
    expect(() => requireListed(image, contract)).toThrow(
      expect.objectContaining({
        exit: 1,
        code: 'registry.not_listed',
        message: expect.stringContaining('ghcr.io/acme'),
      }),
    );
  });
});
