/* Media types of the OCI image specification 1.1, of Docker's predecessors of it, and of Sigstore's and cosign's artifacts. */

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** What a manifest may be. Docker's schema 1 is not among them: it names its layers by no digest of their own. */
export const MANIFEST_TYPES: readonly string[] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/** Whether a manifest of this type lists other manifests. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
/** The config of an artifact that has none: the two bytes `{}`. */
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';

export const SIGSTORE_BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const DSSE_ENVELOPE = 'application/vnd.dsse.envelope.v1+json';

/** Whether a layer of this type is a Sigstore bundle, of whichever version: its reader judges the version. */
export function isBundleType(mediaType: string): boolean {
  return /^application\/vnd\.dev\.sigstore\.bundle(\.v\d+\.\d+\+json|\+json;version=\d+\.\d+)$/.test(mediaType);
}
