import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { codeOf, headerOf } from '../../lib/aws/thrown.ts';
import { CouldNot, Denied } from '../../lib/errors.ts';
import type { Stored } from '../store.ts';
import { failureOf } from './failure.ts';
import { idOf, type Session, timeOf } from './session.ts';

/** The most bytes of an object that are read; nothing of ours is larger. */
const READ_LIMIT = 512 * 1024 * 1024;

/** One object, by name or by version; null when there is none. */
export async function read(session: Session, key: string, versionId?: string | null): Promise<Stored | null> {
  // A bucket without versions calls its one version null, and so it is asked for.
  const target = { ...session.at(key), ...(versionId === undefined ? {} : { VersionId: versionId ?? 'null' }) };
  try {
    return await session.send(async ({ client, sdk }) =>
      receive(key, await client.send(new sdk.GetObjectCommand(target))),
    );
  } catch (thrown) {
    if (headerOf(thrown, 'x-amz-delete-marker') === 'true')
      throw new Denied(
        'store.hidden',
        `${key} is hidden by a delete marker: somebody deleted it by name; keep the bucket as it is and run gatehouse ledger verify`,
      );
    if (ABSENT.has(codeOf(thrown))) return null;
    throw failureOf(
      thrown,
      `read ${key}`,
      versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
      session.address,
    );
  }
}

const ABSENT: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound']);

/** All bytes of an answer: as many as it announced, whatever the connection did. */
async function receive(key: string, output: GetObjectCommandOutput): Promise<Stored> {
  const { Body: body, ContentLength: length, LastModified: modified, VersionId: versionId } = output;
  if (body === undefined || length === undefined || length > READ_LIMIT) {
    (body as { destroy?(): void } | undefined)?.destroy?.();
    throw new CouldNot(
      'store.size',
      `${key} has ${length ?? 'an unknown number of'} bytes; at most ${READ_LIMIT} are read`,
    );
  }
  const bytes = Buffer.from(await body.transformToByteArray());
  if (bytes.length !== length) throw Object.assign(new Error('cut off'), { code: 'ECONNRESET' });
  return { bytes, storeTime: timeOf(modified), versionId: idOf(versionId) };
}
