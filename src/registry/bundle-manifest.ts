import { type Descriptor, describe } from './manifest.ts';
import { OCI_EMPTY, OCI_MANIFEST, SIGSTORE_BUNDLE } from './media-types.ts';

/** The config of an artifact without one (OCI image specification 1.1, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG = Buffer.from('{}');

export interface ArtifactManifest {
  bytes: Buffer;
  /** As a list of referrers must show it: with the artifact's type and annotations copied from the manifest. */
  descriptor: Descriptor & { artifactType: string; annotations: Record<string, string> };
}

/**
 * The manifest that ties a Sigstore bundle to its subject, as cosign 3 writes and reads it: one layer, the bundle; the empty
 * config; predicate type and time as annotations. `now` is in milliseconds.
 */
export function bundleManifest(
  subject: Descriptor,
  bundle: Uint8Array,
  predicateType: string,
  now: number,
): ArtifactManifest {
  const annotations = {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': predicateType,
    'org.opencontainers.image.created': `${new Date(now).toISOString().slice(0, 19)}Z`,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: SIGSTORE_BUNDLE,
    config: describe(EMPTY_CONFIG, OCI_EMPTY),
    layers: [describe(bundle, SIGSTORE_BUNDLE)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { bytes, descriptor: { ...describe(bytes, OCI_MANIFEST), artifactType: SIGSTORE_BUNDLE, annotations } };
}
