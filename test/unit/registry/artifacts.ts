import { digestOf } from '../../../src/lib/digest.ts';
import type { ReadyAttachment } from '../../../src/registry/attach.ts';
import { ATTACHMENT_LIMITS } from '../../../src/registry/attachments.ts';
import type { RegistryClient } from '../../../src/registry/client.ts';
import type { Descriptor } from '../../../src/registry/manifest.ts';
import { REPOSITORY } from './scene.ts';
import { descriptorOf, json, MANIFEST } from './tiny-layout.ts';

export const NOW = Date.parse('2026-01-31T08:00:00.123Z');
export const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const EMPTY = 'application/vnd.oci.empty.v1+json';
export const LIMIT = ATTACHMENT_LIMITS.count;

/** Stands for a signed statement: nothing here looks inside. */
export function ready(name: string): ReadyAttachment {
  return {
    bundleBytes: json({ bundle: name }),
    predicateType: `https://example.org/${name}`,
    envelope: json({ envelope: name }),
  };
}

export function readySignature(name: string): ReadyAttachment {
  return {
    bundleBytes: json({ bundle: name }),
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    simpleSigning: { payload: json({ payload: name }), signature: Buffer.from(name).toString('base64') },
  };
}

/** A referrer made by hand: what an attacker, another tool or a broken one pushes. Gives its digest. */
export async function pushReferrer(
  client: RegistryClient,
  subject: Descriptor,
  change: object = {},
  content = Buffer.from('{"by":"hand"}'),
): Promise<Buffer> {
  await client.putBytes(REPOSITORY, Buffer.from('{}'));
  await client.putBytes(REPOSITORY, content);
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: BUNDLE,
    config: descriptorOf(Buffer.from('{}'), EMPTY),
    layers: [descriptorOf(content, BUNDLE)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...change,
  });
  await client.putManifest(REPOSITORY, { mediaType: MANIFEST, bytes: manifest });
  return manifest;
}

/** Writes something under the referrers tag of a subject. */
export async function putIndexTag(
  client: RegistryClient,
  subject: Descriptor,
  manifests: object[],
  suffix = '',
): Promise<void> {
  const index = json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests });
  await client.putTag(
    REPOSITORY,
    `${subject.digest.replace(':', '-')}${suffix}`,
    { mediaType: 'application/vnd.oci.image.index.v1+json', bytes: index },
    null,
  );
}

export { digestOf };
