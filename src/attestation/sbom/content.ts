/** Which files of an image tell what software is in it, and what of them is kept. */
import { createHash } from 'node:crypto';
import { type GoBuild, readGoBuild } from './go-binary.ts';
import { enforce, type Limits } from './limits.ts';
import type { TarEntry } from './tar.ts';

export type Content = PackageList | Executable | Archive;

/** A text that lists one package or many: read when all layers are there. */
interface PackageList {
  kind: 'list';
  sha256: string;
  bytes: Buffer;
}

export interface Executable {
  kind: 'executable';
  sha256: string;
  /** What the Go linker wrote into it; null where there is nothing; a text where it cannot be read, saying why. */
  go: GoBuild | string | null;
}

/** Something that holds packages in a form that is not read here. */
interface Archive {
  kind: 'archive';
  sha256: string;
  /** What it is, for the SBOM. */
  what: string;
}

/** What a path promises by its name alone; null for nothing. */
export type Role = 'os-release' | 'dpkg' | 'apk' | 'npm' | 'python' | { archive: string };

/** What the file at this path, without a leading slash, is read as; null where its name promises nothing. */
export function roleOf(path: string): Role | null {
  return ROLES.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

const ROLES: readonly [RegExp, Role][] = [
  [/^(etc|usr\/lib)\/os-release$/, 'os-release'],
  // The folder status.d is how images without a package manager ("distroless") keep dpkg's list, one file a package.
  [/^var\/lib\/dpkg\/(status|status\.d\/(?!.*\.md5sums$)[^/]+)$/, 'dpkg'],
  [/^(usr\/)?lib\/apk\/db\/installed$/, 'apk'],
  [/(^|\/)node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/, 'npm'],
  [/\.(dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/, 'python'],
  [/(^|\/)(var\/lib|usr\/lib\/sysimage)\/rpm\/(Packages|Packages\.db|rpmdb\.sqlite)$/, { archive: 'rpm database' }],
  [/\.(jar|war|ear)$/, { archive: 'Java archive' }],
  [/\.dll$/, { archive: '.NET assembly' }],
];

const ELF_MAGIC = '\x7fELF';

/** Reads file by file, and holds no more than the limits allow. */
export class Contents {
  private readonly limits: Limits;
  private held = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** What a file of a layer says, or null where neither its path nor its first bytes make it of interest. */
  async read(path: string, entry: Pick<TarEntry, 'size' | 'content'>): Promise<Content | null> {
    const role = roleOf(path);
    if (role !== null && typeof role === 'string') return this.readList(entry);
    const [head, rest] = await split(entry.content);
    if (head.toString('latin1', 0, 4) === ELF_MAGIC) return this.readExecutable(entry.size, rest);
    return role === null ? null : { kind: 'archive', what: role.archive, sha256: await hashOf(rest) };
  }

  private async readList({ size, content }: Pick<TarEntry, 'size' | 'content'>): Promise<PackageList> {
    this.held += size;
    enforce(this.held, this.limits.listBytes, 'bytes of package lists');
    const bytes = await collect(content);
    return { kind: 'list', bytes, sha256: sha256(bytes) };
  }

  private async readExecutable(size: number, content: AsyncIterable<Uint8Array>): Promise<Executable> {
    enforce(size, this.limits.executableBytes, 'bytes in one executable');
    const bytes = await collect(content);
    return { kind: 'executable', sha256: sha256(bytes), go: readGoBuild(bytes) };
  }
}

/** The first bytes (at least four where there are that many), and all bytes once more from the start. */
async function split(content: AsyncIterable<Uint8Array>): Promise<[Buffer, AsyncIterable<Uint8Array>]> {
  const chunks = content[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 4) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return [head, all()];
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

async function hashOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of content) hash.update(part);
  return hash.digest('hex');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
