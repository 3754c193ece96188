import { dockerCredentials } from '../../../src/registry/docker-config.ts';
import { thrownBy } from './scene.ts';
import { json } from './tiny-layout.ts';

const auth = Buffer.from('robot:pass:word').toString('base64');
const noHelper = () => Promise.reject(new Error('no helper should run'));
const helper = (answers: Record<string, string>) => async (program: string, args: string[], input: string) => {
  const answer = answers[`${program} ${args.join(' ')} < ${input}`];
  if (answer === undefined) throw new Error('credentials not found in native keychain');
  return answer;
};

describe("credentials from Docker's config.json", () => {
  it.each<[string, object | null, string, object | null]>([
    ['no file', null, 'ghcr.io', null],
    ['an empty file', {}, 'ghcr.io', null],
    ['another registry', { auths: { 'quay.io': { auth } } }, 'ghcr.io', null],
    ['an entry', { auths: { 'ghcr.io': { auth } } }, 'ghcr.io', { username: 'robot', password: 'pass:word' }],
    [
      'an entry with a scheme',
      { auths: { 'https://ghcr.io': { auth } } },
      'ghcr.io',
      { username: 'robot', password: 'pass:word' },
    ],
    [
      'an entry in clear',
      { auths: { '127.0.0.1:5000': { username: 'u', password: 'p' } } },
      '127.0.0.1:5000',
      { username: 'u', password: 'p' },
    ],
    [
      "Docker Hub's entry",
      { auths: { 'https://index.docker.io/v1/': { auth } } },
      'docker.io',
      { username: 'robot', password: 'pass:word' },
    ],
    ['an entry that a store has emptied', { auths: { 'ghcr.io': {} } }, 'ghcr.io', null],
  ])('with %s', async (_, file, registry, expected) => {
    expect(await dockerCredentials(file === null ? null : json(file), registry, noHelper)).toEqual(expected);
  });

  it.each<[string, object, object | null]>([
    [
      'a helper of this registry',
      { credHelpers: { 'ghcr.io': 'cloud' }, credsStore: 'desktop' },
      { username: 'cloud', password: 's' },
    ],
    [
      'the common store',
      { credsStore: 'desktop', credHelpers: { 'quay.io': 'cloud' } },
      { username: 'desktop', password: 's' },
    ],
    [
      'a store that knows nothing, then the file',
      { credsStore: 'empty', auths: { 'ghcr.io': { auth } } },
      { username: 'robot', password: 'pass:word' },
    ],
    ['a store that knows nothing', { credsStore: 'empty' }, null],
  ])('from %s', async (_, file, expected) => {
    const answers = {
      'docker-credential-cloud get < ghcr.io': JSON.stringify({ ServerURL: 'ghcr.io', Username: 'cloud', Secret: 's' }),
      'docker-credential-desktop get < ghcr.io': JSON.stringify({
        ServerURL: 'ghcr.io',
        Username: 'desktop',
        Secret: 's',
      }),
    };
    expect(await dockerCredentials(json(file), 'ghcr.io', helper(answers))).toEqual(expected);
  });

  it('come from the file alone where no helper may be started, and not at all where it only names one', async () => {
    const file = { credsStore: 'desktop', auths: { 'ghcr.io': { username: 'x', password: 'y' } } };
    expect(await dockerCredentials(json(file), 'ghcr.io', null)).toEqual({ username: 'x', password: 'y' });
    expect(await dockerCredentials(json({ auths: {} }), 'ghcr.io', null)).toBeNull();
    const thrown = await thrownBy(() => dockerCredentials(json(file), 'quay.io', null));
    expect(thrown).toMatchObject({ name: 'BadInput', code: 'docker_config.helper' });
  });

  it.each<[string, object, string, string]>([
    ['is no object', [], 'BadInput', 'docker_config.malformed'],
    ['has an entry that is no object', { auths: { 'ghcr.io': 'x' } }, 'BadInput', 'docker_config.malformed'],
    [
      'has an entry that is not base64 of user and password',
      { auths: { 'ghcr.io': { auth: 'eA==' } } },
      'BadInput',
      'docker_config.auth',
    ],
    ['names a helper by a path', { credsStore: '../../bin/sh' }, 'BadInput', 'docker_config.helper'],
    ['has a helper that answers nonsense', { credsStore: 'nonsense' }, 'CouldNot', 'docker_config.helper'],
    ['has a helper that only has an identity token', { credsStore: 'token' }, 'CouldNot', 'docker_config.helper'],
    ['has a helper that is not installed', { credsStore: 'absent' }, 'CouldNot', 'docker_config.helper'],
  ])('are refused where the file %s', async (_, file, name, code) => {
    const run = async (program: string) => {
      if (program.endsWith('absent')) throw new Error('spawn docker-credential-absent ENOENT');
      return program.endsWith('token') ? JSON.stringify({ Username: '<token>', Secret: 'tell-nobody' }) : 'tell-nobody';
    };
    const thrown = await thrownBy(() => dockerCredentials(json(file), 'ghcr.io', run));
    expect(thrown).toMatchObject({ name, code });
    expect(JSON.stringify(thrown)).not.toContain('tell-nobody');
  });
});
