/** The files of an image as layers build them up, with symlinks followed inside the image only. */
import { BadInput, Denied } from '../../lib/errors.ts';

export type Node<T> = Folder<T> | Link | File<T>;
export interface Folder<T> {
  kind: 'folder';
  entries: Map<string, Node<T>>;
}
interface Link {
  kind: 'link';
  target: string;
}
export interface File<T> {
  kind: 'file';
  /** What was learnt from its content; null when the content was not looked at. */
  content: T | null;
}

/** An empty folder. */
export function folder<T>(): Folder<T> {
  return { kind: 'folder', entries: new Map() };
}

/** What is at a path, every symlink followed; null where there is nothing. */
export function find<T>(root: Folder<T>, path: string): Node<T> | null {
  const place = walk(root, path, { follow: true, create: false });
  return place === null ? null : (place.parent.entries.get(place.name) ?? null);
}

/** The node itself at a path, with links followed only on the way to it; null where there is nothing. */
export function findItself<T>(root: Folder<T>, path: string): Node<T> | null {
  const place = walk(root, path, { follow: false, create: false });
  return place === null ? null : (place.parent.entries.get(place.name) ?? null);
}

/** Puts a node at a path and makes the folders on the way. A folder on a folder keeps what is in it. */
export function put<T>(root: Folder<T>, path: string, node: Node<T>): void {
  const place = walk(root, path, { follow: false, create: true });
  if (place === null) return;
  if (node.kind === 'folder' && place.parent.entries.get(place.name)?.kind === 'folder') return;
  place.parent.entries.set(place.name, node);
}

/** Removes what is at a path and below, if anything. */
export function remove<T>(root: Folder<T>, path: string): void {
  const place = walk(root, path, { follow: false, create: false });
  place?.parent.entries.delete(place.name);
}

/** Empties the folder at a path, if there is one. */
export function empty<T>(root: Folder<T>, path: string): void {
  const node = path === '' ? root : find(root, path);
  if (node?.kind === 'folder') node.entries.clear();
}

/** Every file, as `[path, file]`, in the order of the paths. */
export function* files<T>(root: Folder<T>, prefix = ''): Generator<[string, File<T>]> {
  for (const [name, node] of [...root.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = prefix + name;
    if (node.kind === 'file') yield [path, node];
    else if (node.kind === 'folder') yield* files(node, `${path}/`);
  }
}

/** `a/b` of a path as an archive writes it. Throws Denied `sbom.escape` where it leaves the image. */
export function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.pop() === undefined) {
      throw new Denied(
        'sbom.escape',
        `a layer has an entry at ${JSON.stringify(path)}, outside the image: unpacking it would write to the host; do not use this image`,
      );
    }
    if (part !== '' && part !== '.' && part !== '..') parts.push(part);
  }
  return parts.join('/');
}

interface Place<T> {
  parent: Folder<T>;
  name: string;
}

function walk<T>(
  root: Folder<T>,
  path: string,
  { follow, create }: { follow: boolean; create: boolean },
): Place<T> | null {
  const pending = path.split('/').reverse();
  const folders: Folder<T>[] = [root];
  const names: string[] = [];
  let hops = 0;
  while (pending.length > 0) {
    const name = pending.pop();
    const parent = folders.at(-1) as Folder<T>;
    if (name === undefined || name === '' || name === '.') continue;
    if (name === '..') {
      // Above the root is the root, as in the running container.
      if (names.pop() !== undefined) folders.pop();
      continue;
    }
    const last = pending.length === 0;
    let node = parent.entries.get(name);
    if (node?.kind === 'link' && (follow || !last)) {
      hops += 1;
      if (hops > 40)
        throw new BadInput(
          'sbom.links',
          `the symlinks on the way to ${JSON.stringify(path)} go in circles; rebuild the image`,
        );
      if (node.target.startsWith('/')) [folders.length, names.length] = [1, 0];
      pending.push(...node.target.split('/').reverse());
      continue;
    }
    if (last) return { parent, name };
    if (node === undefined && create) {
      node = folder();
      parent.entries.set(name, node);
    }
    if (node?.kind !== 'folder') {
      if (!create) return null;
      throw new BadInput(
        'sbom.layer',
        `a layer has an entry at ${JSON.stringify(path)}, but ${JSON.stringify(name)} on the way is a file; rebuild the image`,
      );
    }
    folders.push(node);
    names.push(name);
  }
  // The way ended at a folder that is already open: by "..", or by a link to one.
  const name = names.at(-1);
  const parent = folders.at(-2);
  return name === undefined || parent === undefined ? null : { parent, name };
}
