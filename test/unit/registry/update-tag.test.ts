import { digestOf } from '../../../src/lib/digest.ts';
import type { RegistryClient } from '../../../src/registry/client.ts';
import { addToReferrersTag } from '../../../src/registry/referrers-tag.ts';
import { Transient } from '../../../src/registry/retry.ts';
import { fakeTiming, REPOSITORY, thrownBy } from './scene.ts';
import { INDEX, json, MANIFEST } from './tiny-layout.ts';

const SUBJECT = digestOf('subject');
const referrer = (name: string) => ({ mediaType: MANIFEST, digest: digestOf(name), size: 1 });

/**
 * A tag without conditions, as most registries have it, in which another process writes: `onSleep` and `onPut` are where it
 * gets its turn. Only what updateTag uses is there.
 */
function tagWith(turns: { onSleep?: (tag: Tag) => void; onPut?: (tag: Tag) => 'stored' | 'lost' }) {
  const tag: Tag = { digests: [] };
  const timing = fakeTiming();
  const client = {
    registry: 'registry.example.org',
    timing: {
      ...timing,
      async sleep(milliseconds: number) {
        await timing.sleep(milliseconds);
        turns.onSleep?.(tag);
      },
    },
    async findManifest() {
      if (tag.digests.length === 0) return null;
      const bytes = json({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: tag.digests.map((digest) => ({ mediaType: MANIFEST, digest, size: 1 })),
      });
      return { mediaType: INDEX, digest: digestOf(bytes), size: bytes.length, bytes, etag: null };
    },
    async putTag(_repository: string, _tag: string, { bytes }: { bytes: Buffer }) {
      if (turns.onPut?.(tag) === 'lost') return true;
      tag.digests = JSON.parse(bytes.toString()).manifests.map((entry: { digest: string }) => entry.digest);
      return true;
    },
  } as unknown as RegistryClient;
  return { client, tag, timing };
}
interface Tag {
  digests: string[];
}

describe('adding to a tag that another process writes', () => {
  it('keeps what it finds', async () => {
    const { client, tag } = tagWith({});
    tag.digests = [digestOf('theirs')];
    await addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]);
    expect(tag.digests).toEqual([digestOf('theirs'), digestOf('ours')]);
  });

  it('writes again what another has overwritten, and keeps theirs', async () => {
    let overwrites = 3;
    const { client, tag } = tagWith({
      onSleep: (current) => {
        // They read before we wrote, and write what they read and theirs.
        if (overwrites-- > 0)
          current.digests = [
            ...current.digests.filter((digest) => digest !== digestOf('ours')),
            digestOf(`theirs ${overwrites}`),
          ];
      },
    });
    await addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]);
    expect(tag.digests.sort()).toEqual(
      [digestOf('ours'), digestOf('theirs 0'), digestOf('theirs 1'), digestOf('theirs 2')].sort(),
    );
  });

  it('is not done at the first sight of ours', async () => {
    const { client, timing } = tagWith({});
    await addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]);
    expect(timing.slept).toEqual([400]);
  });

  it('gives up, as an error, when ours is overwritten for ever', async () => {
    const { client } = tagWith({ onSleep: (current) => current.digests.splice(0, 9, digestOf('theirs')) });
    expect(await thrownBy(() => addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.tag_contended',
    });
  });

  it('goes on after a write of which nobody knows whether it arrived', async () => {
    const failures: ('stored' | 'lost')[] = ['lost', 'lost'];
    const { client, tag } = tagWith({
      onPut: () => {
        if (failures.pop() === undefined) return 'stored';
        throw new Transient('connection lost', null);
      },
    });
    await addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]);
    expect(tag.digests).toEqual([digestOf('ours')]);
  });

  it('says why when no write ever arrives', async () => {
    const { client } = tagWith({
      onPut: () => {
        throw new Transient('the registry answered 503', null);
      },
    });
    expect(await thrownBy(() => addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]))).toMatchObject({
      code: 'registry.unavailable',
      message: expect.stringContaining('503'),
    });
  });

  it('writes nothing where ours is there already', async () => {
    const { client, tag, timing } = tagWith({
      onPut: () => {
        throw new Error('written');
      },
    });
    tag.digests = [digestOf('ours')];
    await addToReferrersTag(client, REPOSITORY, SUBJECT, [referrer('ours')]);
    expect(timing.slept).toEqual([]);
  });
});
