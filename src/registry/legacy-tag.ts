import { Denied } from '../lib/errors.ts';
import { ATTACHMENT_LIMITS, legacyTag } from './attachments.ts';
import type { RegistryClient } from './client.ts';
import { type Descriptor, describe, parseManifest } from './manifest.ts';
import type { FetchedManifest } from './manifests.ts';
import { DSSE_ENVELOPE, OCI_CONFIG, OCI_MANIFEST, SIMPLE_SIGNING } from './media-types.ts';
import { type Replacement, updateTag } from './update-tag.ts';

/** One layer of an older tag: its content, and the annotations by which cosign finds it. */
export interface LegacyLayer {
  bytes: Buffer;
  descriptor: Descriptor & { annotations: Record<string, string> };
}

const SIGNATURE = 'dev.cosignproject.cosign/signature';

/** A signature for `.sig`: the simple signing payload, and its signature in base64. */
export function signatureLayer(payload: Buffer, signature: string): LegacyLayer {
  return {
    bytes: payload,
    descriptor: { ...describe(payload, SIMPLE_SIGNING), annotations: { [SIGNATURE]: signature } },
  };
}

/** A DSSE envelope for `.att`, which holds its signature itself. */
export function attestationLayer(envelope: Buffer, predicateType: string): LegacyLayer {
  return {
    bytes: envelope,
    descriptor: { ...describe(envelope, DSSE_ENVELOPE), annotations: { [SIGNATURE]: '', predicateType } },
  };
}

/** Appends layers to the image manifest at `.sig` or `.att` of a subject, as cosign 1 and 2 do; gives the manifest's digest. */
export async function addToLegacyTag(
  client: RegistryClient,
  repository: string,
  subject: string,
  source: 'signature-tag' | 'attestation-tag',
  layers: LegacyLayer[],
): Promise<string> {
  const tag = legacyTag(subject, source);
  for (const { bytes } of layers) await client.putBytes(repository, bytes);
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const { digest } = await updateTag(client, repository, tag, (current) =>
    appendLayers(current, descriptors, `${repository}:${tag}`),
  );
  return digest;
}

/** The manifest with these layers behind those it has, or null where it has them all. Throws Denied where it is none. */
export function appendLayers(current: FetchedManifest | null, added: Descriptor[], what: string): Replacement | null {
  const earlier = current === null ? [] : layersOf(current, what);
  const missing = added.filter((layer) => !earlier.some((each) => sameLayer(each, layer)));
  if (missing.length === 0) return null;
  const layers = [...earlier, ...missing];
  if (layers.length > ATTACHMENT_LIMITS.count) {
    throw new Denied(
      'attachments.too_many',
      `${what} would have ${layers.length} layers, and readers stop at ${ATTACHMENT_LIMITS.count}: remove what does not belong to the image`,
    );
  }
  const config = configOf(layers);
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(config, OCI_CONFIG), layers };
  return { mediaType: OCI_MANIFEST, bytes: Buffer.from(JSON.stringify(manifest)), blobs: [config] };
}

function layersOf(current: FetchedManifest, what: string): Descriptor[] {
  const { kind, document } = parseManifest(
    current.bytes,
    current.mediaType,
    what,
    (code, message, cause) => new Denied(code, message, cause),
  );
  if (kind === 'index') {
    throw new Denied(
      'attachment.malformed',
      `${what} is an index, and signatures are kept in an image manifest: somebody wrote something else under this tag; delete it if it is not needed`,
    );
  }
  return document.layers;
}

/** Two signatures of one payload are two layers of one digest. */
function sameLayer(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest && (a.annotations?.[SIGNATURE] ?? '') === (b.annotations?.[SIGNATURE] ?? '');
}

const NO_TIME = '0001-01-01T00:00:00Z';

/** The config as cosign writes it: it says nothing but the layers, which are stored as they are (so diff id = digest). */
function configOf(layers: Descriptor[]): Buffer {
  const config = {
    architecture: '',
    created: NO_TIME,
    history: layers.map(() => ({ created: NO_TIME })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    config: {},
  };
  return Buffer.from(JSON.stringify(config));
}
