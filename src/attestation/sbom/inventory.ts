/** What software is in an unpacked image: its operating system, its packages, its programs, and what could not be read. */
import { parseApkInstalled } from './apk.ts';
import { type Content, type Executable, type Role, roleOf } from './content.ts';
import { parseDpkgStatus } from './dpkg.ts';
import { parseNpmManifest, parsePythonMetadata } from './language.ts';
import { type OperatingSystem, parseOsRelease } from './os-release.ts';
import type { Package } from './package.ts';
import { type File, type Folder, files, find } from './tree.ts';

export interface Inventory {
  os: OperatingSystem | null;
  /** Each with the file that says so. */
  packages: { package: Package; path: string }[];
  /** Every ELF file, whether or not a package brought it. */
  executables: { path: string; sha256: string; go: Executable['go'] }[];
  /** Files that hold packages which are not in `packages`, with the reason: the SBOM is then incomplete. */
  unread: { path: string; sha256: string | null; reason: string }[];
}

/** Everything that the files of an image say is in it, also by lists that are reached over links. */
export function takeInventory(root: Folder<Content>): Inventory {
  const inventory: Inventory = { os: operatingSystem(root), packages: [], executables: [], unread: [] };
  for (const [path, file] of files(root)) addFile(inventory, path, file, roleOf(path));
  for (const [path, file] of linkedLists(root)) addFile(inventory, path, file, roleOf(path));
  return inventory;
}

/** `/etc` wins over `/usr/lib` (os-release(5)); either may be a link. */
function operatingSystem(root: Folder<Content>): OperatingSystem | null {
  for (const path of ['etc/os-release', 'usr/lib/os-release']) {
    const file = find(root, path);
    if (file?.kind === 'file' && file.content?.kind === 'list') return parseOsRelease(file.content.bytes.toString());
  }
  return null;
}

const LISTS = [
  'etc/os-release',
  'usr/lib/os-release',
  'var/lib/dpkg/status',
  'lib/apk/db/installed',
  'usr/lib/apk/db/installed',
];

/** The lists that programs see through a link, at whose real path nothing would make one look. */
function* linkedLists(root: Folder<Content>): Generator<[string, File<Content>]> {
  const seen = new Set([...files(root)].filter(([path]) => roleOf(path) !== null).map(([, file]) => file));
  for (const path of LISTS) {
    const node = find(root, path);
    if (node?.kind !== 'file' || seen.has(node)) continue;
    seen.add(node);
    yield [path, node];
  }
}

function addFile(inventory: Inventory, path: string, { content }: File<Content>, role: Role | null): void {
  if (content?.kind === 'executable') {
    inventory.executables.push({ path, sha256: content.sha256, go: content.go });
    if (typeof content.go === 'string') inventory.unread.push({ path, sha256: content.sha256, reason: content.go });
  } else if (content?.kind === 'archive') {
    inventory.unread.push({
      path,
      sha256: content.sha256,
      reason: `${content.what}: the packages in it are not listed`,
    });
  } else if (role !== null) {
    addList(inventory, path, content, role);
  }
}

function addList(inventory: Inventory, path: string, content: Content | null, role: Role): void {
  if (content?.kind !== 'list' || typeof role !== 'string') {
    inventory.unread.push({
      path,
      sha256: null,
      reason: 'a link to a file that is not read: what it says is not listed',
    });
    return;
  }
  const text = content.bytes.toString();
  const packages = role === 'os-release' ? [] : PARSERS[role](text);
  inventory.packages.push(...packages.map((each) => ({ package: each, path })));
  const empty = role === 'os-release' ? parseOsRelease(text) === null : packages.length === 0;
  if (empty && text !== '') {
    inventory.unread.push({
      path,
      sha256: content.sha256,
      reason: `nothing can be read from it, although its path says ${role}`,
    });
  }
}

const one = (parse: (text: string) => Package | null) => (text: string) =>
  [parse(text)].filter((each) => each !== null);

const PARSERS: Record<Exclude<Extract<Role, string>, 'os-release'>, (text: string) => Package[]> = {
  dpkg: parseDpkgStatus,
  apk: parseApkInstalled,
  npm: one(parseNpmManifest),
  python: one(parsePythonMetadata),
};
