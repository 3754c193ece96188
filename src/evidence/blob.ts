import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Attachment } from '../contract/record.ts';
import { digestOf } from '../lib/digest.ts';
import { CouldNot, Denied, GatehouseError } from '../lib/errors.ts';
import type { Store } from '../store/store.ts';
import { blobKey } from './layout.ts';
import { redactForms } from './redact.ts';

/** Larger content is not worth a second format: it is stored compressed when that saves a tenth. */
const COMPRESS_FROM = 1024;

export interface BlobInput {
  mediaType: string;
  /** What the attachment is to the record: `contract`, `facts`, `report`, `oidc`, … */
  role: string;
  /** Keep the bytes as they are. Otherwise secrets of known form in text are replaced, and the digest is of what is stored. */
  verbatim?: boolean;
}

/**
 * Stores content for a record to attach, by its digest; call it before the record is signed. A name that is taken is used when
 * it holds the same content, else another one is made: a writer without read access cannot tell, and whoever put something
 * else there must not stop the evidence. `redacted` counts replaced secrets. Throws CouldNot.
 */
export async function putBlob(
  store: Store,
  bytes: Uint8Array,
  input: BlobInput,
): Promise<{ attachment: Attachment; redacted: number }> {
  const { value: content, count: redacted } = input.verbatim
    ? { value: Buffer.from(bytes), count: 0 }
    : redactBytes(bytes);
  const compressed = content.length < COMPRESS_FROM ? content : gzipSync(content, { level: 9 });
  const gzip = compressed.length < content.length * 0.9;
  const stored = gzip ? compressed : content;
  const digest = digestOf(content);
  const attachment = (key: string): Attachment => ({
    key,
    digest,
    size: content.length,
    mediaType: input.mediaType,
    encoding: gzip ? 'gzip' : 'identity',
    role: input.role,
  });
  const name = blobKey(digest, gzip);
  if ((await store.put(name, stored, input.mediaType)).created || (await holds(store, attachment(name))))
    return { attachment: attachment(name), redacted };
  const other = blobKey(digest, gzip, `~${randomBytes(8).toString('hex')}`);
  if (!(await store.put(other, stored, input.mediaType)).created) {
    throw new CouldNot(
      'evidence.blob',
      `blob ${other} exists although its name was just drawn at random: check who else writes to the store`,
    );
  }
  return { attachment: attachment(other), redacted };
}

/** The content of an attachment. Throws Denied when it is gone or is not what the record names, CouldNot when the store fails. */
export async function readAttachment(store: Store, attachment: Attachment): Promise<Buffer> {
  const stored = await store.get(attachment.key);
  if (stored === null) throw new Denied('evidence.blob_missing', `attachment ${attachment.key} is not in the store`);
  const content = decode(stored, attachment.encoding === 'gzip', attachment.size);
  if (content === null || content.length !== attachment.size || digestOf(content) !== attachment.digest) {
    throw new Denied(
      'evidence.blob_changed',
      `attachment ${attachment.key} is not the content ${attachment.digest} that the record names`,
    );
  }
  return content;
}

/** Decompresses at most `limit` bytes, or null when it is not gzip or larger. */
export function decode(stored: Buffer, gzip: boolean, limit: number): Buffer | null {
  if (!gzip) return stored;
  try {
    return gunzipSync(stored, { maxOutputLength: Math.max(limit, 1) });
  } catch {
    return null;
  }
}

/** False also when the writer may not read. */
async function holds(store: Store, attachment: Attachment): Promise<boolean> {
  try {
    await readAttachment(store, attachment);
    return true;
  } catch (cause) {
    if (cause instanceof GatehouseError) return false;
    throw cause;
  }
}

/** Only text is looked into: an archive or a picture is its maker's responsibility. */
function redactBytes(bytes: Uint8Array): { value: Buffer; count: number } {
  const content = Buffer.from(bytes);
  const text = content.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(content)) return { value: content, count: 0 };
  const { value, count } = redactForms(text);
  return { value: count === 0 ? content : Buffer.from(value, 'utf8'), count };
}
