import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { putBlob, readAttachment } from '../../../src/evidence/blob.ts';
import { blobKey } from '../../../src/evidence/layout.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import { CouldNot } from '../../../src/lib/errors.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Ledger, newLedger } from './sample-ledger.ts';

const text = { mediaType: 'text/plain', role: 'report' };
const large = Buffer.from('line of a report\n'.repeat(1000));
let ledger: Ledger;
let store: Store;
beforeEach(async () => {
  ledger = await newLedger();
  store = ledger.store;
});

async function plant(key: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(join(ledger.folder, key)), { recursive: true });
  writeFileSync(join(ledger.folder, key), bytes);
}

describe('a blob', () => {
  it.each([
    ['small', Buffer.from('hello'), 'identity'],
    ['large', large, 'gzip'],
    ['empty', Buffer.alloc(0), 'identity'],
  ])('that is %s comes back, under the digest of its content', async (_what, bytes, encoding) => {
    const { attachment } = await putBlob(store, bytes, text);
    expect(attachment).toEqual({
      key: blobKey(digestOf(bytes), encoding === 'gzip'),
      digest: digestOf(bytes),
      size: bytes.length,
      encoding,
      ...text,
    });
    expect(await readAttachment(store, attachment)).toEqual(bytes);
  });

  it('is stored once', async () => {
    const first = await putBlob(store, large, text);
    expect((await putBlob(store, large, text)).attachment).toEqual(first.attachment);
  });

  it('takes another name where somebody else has taken its own', async () => {
    await plant(blobKey(digestOf(large), true), Buffer.from('squatter'));
    const { attachment } = await putBlob(store, large, text);
    expect(attachment.key).toMatch(/^v1\/blobs\/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}~[0-9a-f]{16}\.gz$/);
    expect(await readAttachment(store, attachment)).toEqual(large);
  });

  it('takes another name where its writer may not read what is there', async () => {
    await putBlob(store, large, text);
    const blind: Store = { ...store, get: () => Promise.reject(new CouldNot('store.failed', 'access denied')) };
    expect((await putBlob(blind, large, text)).attachment.key).toContain('~');
  });

  it('has no secret of known form, unless it is kept verbatim', async () => {
    const token = `glpat-${'a1B2c3D4e5F6g7H8i9J0'}`;
    const { attachment, redacted } = await putBlob(store, Buffer.from(`log ${token}`), text);
    expect(redacted).toBe(1);
    expect((await readAttachment(store, attachment)).toString()).toBe('log [redacted:gitlab-token]');
    const kept = await putBlob(store, Buffer.from(`log ${token}`), { ...text, verbatim: true });
    expect([kept.redacted, (await readAttachment(store, kept.attachment)).toString()]).toEqual([0, `log ${token}`]);
  });

  it('that is not text is left alone', async () => {
    const binary = Buffer.from([0, 255, 1, 254, ...Buffer.from(`AKIA${'IOSFODNN7EXAMPLE'}`)]);
    expect(await readAttachment(store, (await putBlob(store, binary, text)).attachment)).toEqual(binary);
  });
});

describe('an attachment', () => {
  it.each<[string, Buffer | null, string]>([
    ['is gone', null, 'evidence.blob_missing'],
    ['has other content', Buffer.from('other'), 'evidence.blob_changed'],
    ['is no gzip', Buffer.alloc(100), 'evidence.blob_changed'],
  ])('that %s is denied', async (_what, there, code) => {
    const { attachment } = await putBlob((await newLedger()).store, large, text);
    if (there !== null) await plant(attachment.key, there);
    await expect(readAttachment(store, attachment)).rejects.toMatchObject({ code, exit: 1 });
  });

  it('that would unpack to more than the record says is denied without unpacking it', async () => {
    const { attachment } = await putBlob(store, Buffer.alloc(50_000_000), text);
    await expect(readAttachment(store, { ...attachment, size: 1000 })).rejects.toMatchObject({
      code: 'evidence.blob_changed',
    });
  });
});
