/** Unpacks an image's layers in memory, one over the other, keeping only what tells which software is in it. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BadInput, Denied, GatehouseError, messageOf } from '../../lib/errors.ts';
import { decompressorFor } from './compression.ts';
import { type Content, Contents } from './content.ts';
import { enforce, type Limits } from './limits.ts';
import { readTar, type TarEntry } from './tar.ts';
import { empty, type Folder, findItself, folder, type Node, normalise, put, remove } from './tree.ts';

/** One layer: the compressed bytes as stored in the registry. That they fit `digest` is the reader of the registry's duty. */
export interface Layer {
  mediaType: string;
  digest: string;
  bytes: Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * Reads all layers, lowest first, and gives the files that a container would see. `diffIds` are the digests of the
 * unpacked layers, from the image's configuration.
 *
 * Throws BadInput for what is broken, Denied for what contradicts the configuration, leaves the image or is above a limit.
 */
export async function readLayers(
  layers: Iterable<Layer> | AsyncIterable<Layer>,
  diffIds: readonly string[],
  limits: Limits,
): Promise<Folder<Content>> {
  const root = folder<Content>();
  const contents = new Contents(limits);
  const used = { bytes: 0, entries: 0 };
  let index = 0;
  for await (const layer of layers) {
    apply(root, await readLayer(layer, diffIds[index], contents, limits, used));
    index += 1;
  }
  if (index !== diffIds.length) {
    throw new Denied(
      'sbom.layers',
      `the image has ${index} layers, but its configuration names ${diffIds.length}: it is not the image that was built; rebuild it`,
    );
  }
  return root;
}

interface Change {
  path: string;
  entry: TarEntry['kind'];
  target: string;
  content: Content | null;
}

/** All entries of one layer, read to its end so that its digest can be compared. */
async function readLayer(
  layer: Layer,
  diffId: string | undefined,
  contents: Contents,
  limits: Limits,
  used: { bytes: number; entries: number },
): Promise<Change[]> {
  const hash = createHash('sha256');
  const unpacked = counted(layer, (chunk) => {
    hash.update(chunk);
    used.bytes += chunk.length;
    enforce(used.bytes, limits.unpackedBytes, 'bytes when unpacked');
  });
  const changes: Change[] = [];
  for await (const entry of readTar(unpacked, limits)) {
    used.entries += 1;
    enforce(used.entries, limits.entries, 'files');
    const path = normalise(entry.path);
    const content = entry.kind === 'file' ? await contents.read(path, entry) : null;
    changes.push({ path, entry: entry.kind, target: entry.target, content });
  }
  // Runtimes ignore what follows the end of the archive, but the digest covers it.
  for await (const _ of unpacked);
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== diffId) {
    throw new Denied(
      'sbom.layers',
      `layer ${layer.digest} unpacks to ${digest}, but the image's configuration says ${diffId ?? 'there is no such layer'}: it is not the layer that was built; rebuild the image`,
    );
  }
  return changes;
}

/** The unpacked bytes; `onChunk` sees each before the reader does. One iterator, so that a second loop goes on. */
function counted(layer: Layer, onChunk: (chunk: Uint8Array) => void): AsyncIterable<Uint8Array> {
  async function* unpack(): AsyncGenerator<Uint8Array> {
    const packed = Readable.from(layer.bytes instanceof Uint8Array ? [layer.bytes] : layer.bytes);
    const decompressor = decompressorFor(layer.mediaType, layer.digest);
    const unpacked =
      decompressor === null ? packed : packed.on('error', (cause) => decompressor.destroy(cause)).pipe(decompressor);
    try {
      for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
        onChunk(chunk);
        yield chunk;
      }
    } catch (cause) {
      if (cause instanceof GatehouseError) throw cause;
      throw new BadInput(
        'sbom.unpack',
        `layer ${layer.digest} cannot be unpacked as ${layer.mediaType}: ${messageOf(cause)}; fetch or rebuild the image`,
        cause,
      );
    }
  }
  const chunks = unpack();
  return { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Lays one layer over the tree: whiteouts hide only what is below this layer (OCI image-spec, layer.md). */
function apply(root: Folder<Content>, changes: readonly Change[]): void {
  const kept: Change[] = [];
  for (const change of changes) {
    const slash = change.path.lastIndexOf('/') + 1;
    const name = change.path.slice(slash);
    if (name === OPAQUE) empty(root, change.path.slice(0, Math.max(slash - 1, 0)));
    else if (name.startsWith(WHITEOUT)) remove(root, change.path.slice(0, slash) + name.slice(WHITEOUT.length));
    else if (!name.startsWith(WHITEOUT)) kept.push(change);
  }
  for (const change of kept) put(root, change.path, nodeOf(root, change));
}

function nodeOf(root: Folder<Content>, { path, entry, target, content }: Change): Node<Content> {
  switch (entry) {
    case 'directory':
      return folder();
    case 'symlink':
      return { kind: 'link', target };
    case 'hardlink':
      return linked(root, path, target);
    case 'file':
    case 'device':
      return { kind: 'file', content };
  }
}

function linked(root: Folder<Content>, path: string, target: string): Node<Content> {
  const node = findItself(root, normalise(target));
  if (node === null || node.kind === 'folder') {
    throw new BadInput(
      'sbom.links',
      `${JSON.stringify(path)} is a hard link to ${JSON.stringify(target)}, which is no file of the image; rebuild the image`,
    );
  }
  return node;
}
