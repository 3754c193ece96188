import { readdirSync, readFileSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { newScene, path, type Scene, write } from '../attacks/evidence-scene.ts';
import { codesOf, tick } from '../unit/evidence/sample-ledger.ts';

type Change = (bytes: Buffer, at: number) => Buffer | null;

const changes: { [name: string]: Change } = {
  'flip a bit': (bytes, at) => {
    const changed = Buffer.from(bytes);
    changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ (1 << (at % 8));
    return changed;
  },
  'cut the end off': (bytes, at) => bytes.subarray(0, at % bytes.length),
  'append a line feed': (bytes) => Buffer.concat([bytes, Buffer.from('\n')]),
  delete: () => null,
};

describe('any single change of an anchored ledger is found (F55)', () => {
  let scene: Scene;
  let kept: string | null;
  let objects: string[];
  beforeAll(async () => {
    scene = await newScene();
    kept = (await tick(scene.store)).checkpoint;
    objects = readdirSync(path(scene, 'v1'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(scene.folder.length + 1));
  });

  async function codesAfter(key: string, change: Change, at: number): Promise<string[]> {
    const before = readFileSync(path(scene, key));
    const bytes = change(before, at);
    try {
      if (bytes === null) rmSync(path(scene, key));
      else write(scene, key, bytes);
      return await codesOf(scene.store, { checkpoint: kept });
    } finally {
      write(scene, key, before);
    }
  }

  it('there is nothing to find before', async () => {
    expect(objects.length).toBeGreaterThan(30);
    expect(await codesOf(scene.store, { checkpoint: kept })).toEqual([]);
  });

  it.each(Object.entries(changes))('%s, in each object', async (_name, change) => {
    const missed: string[] = [];
    for (const key of objects) if ((await codesAfter(key, change, 40)).length === 0) missed.push(key);
    expect(missed).toEqual([]);
  });

  it('anywhere', async () => {
    const place = fc.tuple(fc.constantFrom(...objects), fc.constantFrom(...Object.values(changes)), fc.nat(5000));
    await fc.assert(
      fc.asyncProperty(place, async ([key, change, at]) => (await codesAfter(key, change, at)).length > 0),
      { numRuns: 150 },
    );
  });
});
