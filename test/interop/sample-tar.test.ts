import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../src/attestation/sbom/limits.ts';
import { readTar } from '../../src/attestation/sbom/tar.ts';
import { goVersion } from '../support/sample.ts';
import { sandboxes } from '../support/sandbox.ts';
import { END, type Entry, entriesOf, file, folder, hardlink, pax, symlink } from '../unit/attestation/sbom/image.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

interface Seen {
  path: string;
  kind: string;
  target: string;
  sha256: string;
}

const put = (offset: number, text: string) => (header: Buffer) => header.write(text, offset, 'latin1');
const GNU = 'ustar  \0';

/** Entries of all formats and kinds, to be put together at random. */
const PARTS: readonly Entry[] = [
  file('a', 'hello'),
  file('b/c', 'x'.repeat(513)),
  folder('d/'),
  symlink('l', 'b'),
  hardlink('h', 'a'),
  pax({ path: 'long/'.repeat(40) }),
  pax({ linkpath: 'elsewhere' }),
  pax({ size: '3' }),
  { ...pax({ path: 'global' }), type: 'g' },
  { path: '././@LongLink', type: 'L', content: `${'gnu/'.repeat(30)}\0` },
  { path: '././@LongLink', type: 'K', content: 'gnu-target\0' },
  { path: 'old/', type: '\0' },
  { path: 'old', type: '\0', content: 'z' },
  { path: 'device', type: '3' },
  { ...file('name', 'p'), edit: put(345, 'prefix') },
  { ...file('gnu', 'p'), edit: put(257, GNU) },
  { ...file('v7', 'p'), edit: put(257, '\0'.repeat(8)) },
  { ...file('star', 'p'), edit: (header) => put(345, 'prefix')(header) && put(508, 'tar\0')(header) },
  { ...file('times', 'p'), edit: (header) => put(257, GNU)(header) && put(345, '00000000001\0')(header) },
];
/** Where a change of a header has the best chance to mean something, and what may mean something there. */
const PLACES = [0, 124, 135, 148, 156, 257, 262, 263, 345, 508];
const BYTES = [0x00, 0x20, 0x2f, 0x30, 0x35, 0x37, 0x61, 0x80, 0xff];

/** The same archives in every run: numbers of Park and Miller's generator. */
function archives(count: number): Buffer[] {
  let state = 1;
  const below = (limit: number): number => {
    state = (state * 16_807) % (2 ** 31 - 1);
    return Math.floor(state / 256) % limit;
  };
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const spoilt = (entry: Entry): Entry => {
    const [at, value] = [below(2) === 0 ? pick(PLACES) : below(512), below(2) === 0 ? pick(BYTES) : below(256)];
    return { ...entry, edit: (header) => [entry.edit?.(header), header.writeUInt8(value, at)] };
  };
  return Array.from({ length: count }, () => {
    const entries = Array.from({ length: 1 + below(4) }, () => (below(3) === 0 ? spoilt(pick(PARTS)) : pick(PARTS)));
    return Buffer.concat([entriesOf(entries), below(5) === 0 ? Buffer.alloc(below(1024)) : END]);
  });
}

/** What this reader sees, or null where it refuses. */
async function ours(archive: Buffer): Promise<Seen[] | null> {
  async function* whole(): AsyncGenerator<Buffer> {
    yield archive;
  }
  const seen: Seen[] = [];
  try {
    for await (const { path, kind, target, content } of readTar(whole(), DEFAULT_LIMITS)) {
      const hash = createHash('sha256');
      for await (const part of content) hash.update(part);
      seen.push({ path, kind, target, sha256: hash.digest('hex') });
    }
    return seen;
  } catch (cause) {
    expect((cause as { code: string }).code).toMatch(/^sbom\./);
    return null;
  }
}

function read(program: string, inputs: readonly Buffer[]): (Seen[] | null)[] {
  const lengths = inputs.map((each) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(each.length);
    return length;
  });
  const input = Buffer.concat(inputs.flatMap((each, i) => [lengths[i] as Buffer, each]));
  const { stdout, status } = spawnSync(program, { input, maxBuffer: 1e8 });
  expect(status).toBe(0);
  return stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('reading tar', () => {
  (goVersion() === null ? it.skip : it)(
    'sees what Go sees, with which runtimes unpack, in whatever both accept (needs go on the PATH)',
    async () => {
      const program = join(sandbox.folder('go-tar'), 'go-tar');
      const built = spawnSync('go', ['build', '-o', program, 'test/fixtures/go-tar/main.go'], {
        encoding: 'utf8',
        env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '' },
      });
      expect([built.status, built.stderr]).toEqual([0, '']);
      const inputs = archives(6000);
      const theirs = read(program, inputs);
      let [both, refused] = [0, 0];
      for (const [i, archive] of inputs.entries()) {
        const [one, other] = [await ours(archive), theirs[i]];
        if (one === null) refused += 1;
        if (one === null || other == null) continue;
        both += 1;
        expect(one).toEqual(other);
      }
      expect(both).toBeGreaterThan(2000);
      expect(refused).toBeGreaterThan(1000);
      expect(new Set(inputs.map((each) => each.toString('latin1'))).size).toBeGreaterThan(4000);
    },
  );
});
