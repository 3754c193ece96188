import { attachAll } from '../../../src/registry/attach.ts';
import { readAttachments } from '../../../src/registry/attachments.ts';
import { copyImage } from '../../../src/registry/copy.ts';
import { BUNDLE, digestOf, NOW, pushReferrer, putIndexTag, ready, readySignature } from './artifacts.ts';
import { imageParts, pushTiny, REPOSITORY, scenes, thrownBy } from './scene.ts';
import { descriptorOf, indexParts, MANIFEST, tinyImage } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const contents = (found: Awaited<ReturnType<typeof readAttachments>>) =>
  found.map((entry) => `${entry.kind} ${'bytes' in entry ? entry.bytes : ''}`).sort();

describe('copying an image', () => {
  it.each([
    ['to a registry with the referrers API', true, false],
    ['to a registry without it', false, true],
  ])('%s takes children and everything attached to them along', async (_, targetApi, sourceApi) => {
    const source = await scene.open({ referrersApi: sourceApi });
    const target = await scene.open({ referrersApi: targetApi });
    const top = await pushTiny(source.client, scene.layout(indexParts()));
    const child = tinyImage('arm64');
    await attachAll(source.client, REPOSITORY, top, [ready('index'), readySignature('index')], NOW);
    await attachAll(source.client, REPOSITORY, descriptorOf(child.manifest, MANIFEST), [ready('child')], NOW);
    const copied = await copyImage({ client: source.client, repository: REPOSITORY }, top.digest, {
      client: target.client,
      repository: 'prod/app',
    });
    expect(copied).toMatchObject({ images: [top.digest, tinyImage('amd64').digest, child.digest], left: [] });
    expect([copied.referrers.length, copied.tags.length]).toEqual([3, 3]);
    for (const digest of [top.digest, child.digest]) {
      const [there, here] = await Promise.all([
        readAttachments(target.client, 'prod/app', digest),
        readAttachments(source.client, REPOSITORY, digest),
      ]);
      expect(contents(there)).toEqual(contents(here));
    }
    expect((await target.client.getManifest('prod/app', top.digest)).digest).toBe(top.digest);
  });

  it('again, with a signature more at each place, loses neither', async () => {
    const [source, target] = [await scene.open(), await scene.open()];
    const [from, to] = [
      { client: source.client, repository: REPOSITORY },
      { client: target.client, repository: REPOSITORY },
    ];
    const top = await pushTiny(source.client, scene.layout(imageParts()));
    await attachAll(source.client, REPOSITORY, top, [readySignature('both')], NOW);
    await copyImage(from, top.digest, to);
    await attachAll(source.client, REPOSITORY, top, [readySignature('source')], NOW);
    await attachAll(target.client, REPOSITORY, top, [readySignature('target')], NOW);
    await copyImage(from, top.digest, to);
    expect(contents(await readAttachments(target.client, REPOSITORY, top.digest))).toEqual(
      ['both', 'source', 'target']
        .flatMap((name) => [`bundle {"bundle":"${name}"}`, `legacy-signature {"payload":"${name}"}`])
        .sort(),
    );
  });

  it('leaves what lies about its subject, says so, and takes the rest', async () => {
    const [source, target] = [await scene.open({ referrersApi: false }), await scene.open()];
    const top = await pushTiny(source.client, scene.layout(imageParts()));
    const lie = await pushReferrer(source.client, top, { subject: descriptorOf(Buffer.from('x'), MANIFEST) });
    const fine = await pushReferrer(source.client, top, {}, Buffer.from('fine'));
    await putIndexTag(source.client, top, [
      descriptorOf(lie, MANIFEST),
      { ...descriptorOf(fine, MANIFEST), artifactType: BUNDLE },
    ]);
    await putIndexTag(source.client, top, [], '.sig');
    const copied = await copyImage({ client: source.client, repository: REPOSITORY }, top.digest, {
      client: target.client,
      repository: REPOSITORY,
    });
    expect(copied.referrers).toEqual([digestOf(fine)]);
    expect(copied.left.map(({ from, error }) => [from, error.code])).toEqual([
      [digestOf(lie), 'attachment.foreign_subject'],
      [`${top.digest.replace(':', '-')}.sig`, 'attachment.malformed'],
    ]);
  });

  it('whose layer is not what its digest says is refused', async () => {
    const layer = tinyImage().blobs[1] as Buffer;
    const other = { status: 200, body: Buffer.alloc(layer.length) };
    const source = await scene.open({
      faults: ({ method, path }) => (method === 'GET' && path.endsWith(digestOf(layer)) ? other : null),
    });
    const target = await scene.open();
    const top = await pushTiny(source.client, scene.layout(imageParts()));
    const thrown = await thrownBy(() =>
      copyImage({ client: source.client, repository: REPOSITORY }, top.digest, {
        client: target.client,
        repository: REPOSITORY,
      }),
    );
    expect(thrown).toMatchObject({ name: 'Denied', code: 'registry.digest_mismatch' });
    expect(await target.client.findManifest(REPOSITORY, top.digest)).toBeNull();
  });

  it('whose source cuts the connection in a layer goes on', async () => {
    const layer = tinyImage().blobs[1] as Buffer;
    let cuts = 1;
    const source = await scene.open({
      faults: ({ method, path }) => (method === 'GET' && path.endsWith(digestOf(layer)) && cuts-- > 0 ? 'reset' : null),
    });
    const target = await scene.open();
    const top = await pushTiny(source.client, scene.layout(imageParts()));
    const copied = await copyImage({ client: source.client, repository: REPOSITORY }, top.digest, {
      client: target.client,
      repository: REPOSITORY,
    });
    expect(copied.images).toEqual([top.digest]);
  });
});
