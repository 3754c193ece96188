import { count } from '../contract/primitives.ts';
import { digestOf } from '../lib/digest.ts';
import { type GatehouseError, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';
import { isIndexType, MANIFEST_TYPES } from './media-types.ts';

const mediaType = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+;= -]{0,126}$/,
      'expected a media type',
    ),
  );
const annotations = z.record(z.string(), z.string());

/** Points at content: its type, digest and size in bytes (OCI image specification 1.1, descriptor.md). */
export const descriptor = z.looseObject({
  mediaType,
  digest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 lower-case hex>')),
  size: count,
  artifactType: z.nullish(mediaType),
  annotations: z.nullish(annotations),
  platform: z.nullish(
    z.looseObject({
      os: z.string().check(z.maxLength(128)),
      architecture: z.string().check(z.maxLength(128)),
      variant: z.nullish(z.string().check(z.maxLength(128))),
    }),
  ),
});
export type Descriptor = z.infer<typeof descriptor>;

const common = {
  schemaVersion: z.literal(2),
  mediaType: z.optional(mediaType),
  artifactType: z.nullish(mediaType),
  subject: z.nullish(descriptor),
  annotations: z.nullish(annotations),
};
const imageManifest = z.looseObject({ ...common, config: descriptor, layers: z.array(descriptor) });
const imageIndex = z.looseObject({ ...common, manifests: z.array(descriptor) });
export type ImageManifest = z.infer<typeof imageManifest>;
export type ImageIndex = z.infer<typeof imageIndex>;
export type Manifest = { kind: 'image'; document: ImageManifest } | { kind: 'index'; document: ImageIndex };

/** Makes the error: Denied where a registry served the manifest, BadInput where a person handed it in. */
export type Refuse = (code: string, message: string, cause?: unknown) => GatehouseError;

/** The most bytes that a manifest may have: what the distribution specification asks registries to accept. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024;

/**
 * Parses the bytes of a manifest or an index that is said to be of this media type. `what` names it in errors.
 *
 * Refused: another media type inside, and a document that is an index and an image at once, because two readers would take
 * it for two different things (CVE-2021-41190).
 */
export function parseManifest(bytes: Uint8Array, type: string, what: string, refuse: Refuse): Manifest {
  if (!MANIFEST_TYPES.includes(type)) {
    throw refuse(
      'manifest.type',
      `${what} is of type ${type}, which is neither an image manifest nor an index: expected one of ${MANIFEST_TYPES.join(', ')}`,
    );
  }
  const value = parseObject(bytes, what, refuse);
  if (value.mediaType !== undefined && value.mediaType !== type) {
    throw refuse(
      'manifest.ambiguous',
      `${what} was served as ${type} but calls itself ${JSON.stringify(value.mediaType)}: readers would disagree on what it is`,
    );
  }
  const index = isIndexType(type);
  const parsed = (index ? imageIndex : imageManifest).safeParse(value);
  if (!parsed.success)
    throw refuse('manifest.malformed', `${what} is malformed: ${firstIssue(parsed.error)}`, parsed.error);
  return index
    ? { kind: 'index', document: parsed.data as ImageIndex }
    : { kind: 'image', document: parsed.data as ImageManifest };
}

/** The descriptors of a list that must be an image index: a registry's answer, a layout's index.json. */
export function parseIndex(bytes: Uint8Array, what: string, refuse: Refuse): ImageIndex {
  const parsed = imageIndex.safeParse(parseObject(bytes, what, refuse));
  if (!parsed.success)
    throw refuse('manifest.malformed', `${what} is malformed: ${firstIssue(parsed.error)}`, parsed.error);
  return parsed.data;
}

/** The plain descriptor (type, digest, size) of these bytes. */
export function describe(bytes: Uint8Array, type: string): Descriptor {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.length };
}

/** `os/architecture` or `os/architecture/variant`; null where a descriptor says nothing. */
export function platformOf(described: Pick<Descriptor, 'platform'>): string | null {
  const { platform } = described;
  if (!platform) return null;
  return [platform.os, platform.architecture, platform.variant].filter((part) => part).join('/');
}

/**
 * Whether an index may list an image that was built for `own` under the platform `said`: same system and architecture, and
 * same variant where both say one (arm64 images often do not).
 */
export function fitsPlatform(said: string, own: string): boolean {
  const [a, b] = [said.split('/'), own.split('/')];
  return a[0] === b[0] && a[1] === b[1] && (a[2] === undefined || b[2] === undefined || a[2] === b[2]);
}

function parseObject(bytes: Uint8Array, what: string, refuse: Refuse): Record<string, unknown> {
  const value = parse(bytes, what, refuse);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('manifest.malformed', `${what} is not a JSON object`);
  }
  if ('manifests' in value && ('layers' in value || 'config' in value)) {
    throw refuse('manifest.ambiguous', `${what} lists both manifests and layers: readers would disagree on what it is`);
  }
  return value as Record<string, unknown>;
}

function parse(bytes: Uint8Array, what: string, refuse: Refuse): unknown {
  try {
    return parseJson(bytes, what);
  } catch (cause) {
    throw refuse('manifest.malformed', messageOf(cause), cause);
  }
}

function firstIssue(error: z.core.$ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'unknown reason' : `${issue.path.join('.') || '(document)'}: ${issue.message}`;
}
