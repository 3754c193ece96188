import { parseName, parseReference, parseTagged, requireDigest } from '../../../src/registry/reference.ts';
import { thrownBy } from './scene.ts';

const HEX = 'ab'.repeat(32);
const DIGEST = `sha256:${HEX}`;

describe('an image reference', () => {
  it.each([
    ['ghcr.io/acme/app', 'ghcr.io', 'acme/app'],
    ['127.0.0.1:5000/app', '127.0.0.1:5000', 'app'],
    ['localhost/app', 'localhost', 'app'],
    ['[::1]:5000/a/b/c', '[::1]:5000', 'a/b/c'],
    ['registry:5000/app', 'registry:5000', 'app'],
    ['docker.io/library/nginx', 'docker.io', 'library/nginx'],
    ['registry.example.org/a-b/c__d.e', 'registry.example.org', 'a-b/c__d.e'],
  ])('%s by digest is taken apart', (name, registry, repository) => {
    expect(parseReference(`${name}@${DIGEST}`)).toEqual({ name, registry, repository, digest: DIGEST });
  });

  it.each([
    ['nothing', '', 'reference.empty'],
    ['an unset variable before the digest', `@${DIGEST}`, 'reference.empty'],
    ['an unset variable behind the at sign', 'ghcr.io/acme/app@', 'reference.digest'],
    ['half a digest', `ghcr.io/acme/app@sha256:${HEX.slice(1)}`, 'reference.digest'],
    ['a digest and more', `ghcr.io/acme/app@${DIGEST}0`, 'reference.digest'],
    ['capital hex digits', `ghcr.io/acme/app@sha256:${HEX.toUpperCase()}`, 'reference.digest'],
    ['another algorithm', `ghcr.io/acme/app@sha512:${HEX}${HEX}`, 'reference.digest'],
    ['two digests', `ghcr.io/acme/app@${DIGEST}@${DIGEST}`, 'reference.digest'],
    ['a line break behind it', `ghcr.io/acme/app@${DIGEST}\n`, 'reference.digest'],
    ['a tag and a digest', `ghcr.io/acme/app:v1@${DIGEST}`, 'reference.tag_and_digest'],
    ['no registry', `acme/app@${DIGEST}`, 'reference.registry'],
    ['no registry and no path', `app@${DIGEST}`, 'reference.registry'],
    ['a capital in the registry', `GHCR.io/acme/app@${DIGEST}`, 'reference.registry'],
    ['a port out of range', `ghcr.io:70000/acme/app@${DIGEST}`, 'reference.registry'],
    ['a user in the registry', `user:pw@ghcr.io/acme/app@${DIGEST}`, 'reference.digest'],
    ['a transport', `docker://ghcr.io/acme/app@${DIGEST}`, 'reference.scheme'],
    ['a URL', `https://ghcr.io/acme/app@${DIGEST}`, 'reference.scheme'],
    ['a capital in the path', `ghcr.io/Acme/app@${DIGEST}`, 'reference.repository'],
    ['dots to climb', `ghcr.io/../app@${DIGEST}`, 'reference.repository'],
    ['an empty part', `ghcr.io/acme//app@${DIGEST}`, 'reference.repository'],
    ['a space', `ghcr.io/acme/a pp@${DIGEST}`, 'reference.repository'],
    ['a query', `ghcr.io/acme/app?x@${DIGEST}`, 'reference.repository'],
    ['a name of 256 characters', `ghcr.io/${'a'.repeat(256)}@${DIGEST}`, 'reference.repository'],
    ['a short name of Docker Hub', `docker.io/nginx@${DIGEST}`, 'reference.repository'],
  ])('with %s is refused', async (_, text, expected) => {
    const { name, code, message } = await thrownBy(() => parseReference(text));
    expect(name).toBe('BadInput');
    expect(code).toBe(expected);
    expect(message).not.toMatch(/[\n\r]/);
  });

  it.each([
    ['a tag', 'ghcr.io/acme/app:v1', 'v1'],
    ['a bare name', 'ghcr.io/acme/app', 'latest'],
    ['a tag behind a port', '127.0.0.1:5000/app:1.4.0', '1.4.0'],
  ])('with %s is refused and says which tag', async (_, text, tag) => {
    expect(await thrownBy(() => parseReference(text))).toMatchObject({ name: 'TagRefused', code: 'reference.tag' });
    expect(parseTagged(text)).toMatchObject({ tag });
  });

  it('with a tag says the digest that the tag means now', async () => {
    const asked: unknown[] = [];
    const resolve = async (tagged: unknown) => {
      asked.push(tagged);
      return DIGEST;
    };
    const { code, message } = await thrownBy(() => requireDigest('ghcr.io/acme/app:v1', resolve));
    expect(code).toBe('reference.tag');
    expect(message).toContain(`ghcr.io/acme/app@${DIGEST}`);
    expect(asked).toMatchObject([{ registry: 'ghcr.io', repository: 'acme/app', tag: 'v1' }]);
  });

  it('with a tag is refused also when the registry does not answer', async () => {
    const { code, message } = await thrownBy(() =>
      requireDigest('ghcr.io/acme/app:v1', () => Promise.reject(new Error('no route'))),
    );
    expect(code).toBe('reference.tag');
    expect(message).toContain('no route');
  });

  it('by digest asks nobody', async () => {
    expect(await requireDigest(`ghcr.io/acme/app@${DIGEST}`, () => Promise.reject(new Error('asked')))).toMatchObject({
      digest: DIGEST,
    });
  });

  it('without tag and digest names a place to push to', () => {
    expect(parseName('ghcr.io/acme/app')).toEqual({
      registry: 'ghcr.io',
      repository: 'acme/app',
      name: 'ghcr.io/acme/app',
    });
  });
});
