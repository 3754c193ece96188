import { statusOf } from '../../lib/aws/thrown.ts';
import { digestOf, hexOf } from '../../lib/digest.ts';
import { CouldNot } from '../../lib/errors.ts';
import { formatTime } from '../../lib/time.ts';
import type { Put } from '../store.ts';
import { failureOf } from './failure.ts';
import { idOf, type Session } from './session.ts';

/** Creates an object, unless its key is taken. Sends the same bytes again where that may help. */
export async function put(session: Session, key: string, bytes: Uint8Array, mediaType?: string): Promise<Put> {
  const digest = digestOf(bytes);
  const sha256 = Buffer.from(hexOf(digest), 'hex').toString('base64');
  const target = session.at(key);
  const receipt = { schema: 'gatehouse/receipt/1' as const, key, versionId: null, storeTime: null, digest };
  try {
    const { output, at } = await session.send(async ({ client, sdk }) => {
      const output = await client.send(
        new sdk.PutObjectCommand({
          ...target,
          Body: bytes,
          ContentLength: bytes.length,
          ContentType: mediaType ?? 'application/octet-stream',
          IfNoneMatch: '*',
          // Both: with the value alone the SDK leaves the algorithm out, which a bucket with a lock refuses.
          ChecksumAlgorithm: 'SHA256',
          ChecksumSHA256: sha256,
        }),
      );
      return { output, at: sdk.serverTimeOf(output) };
    });
    if (output.ChecksumSHA256 !== sha256) throw unconfirmed(key, output.ChecksumSHA256);
    return {
      created: true,
      receipt: {
        ...receipt,
        versionId: idOf(output.VersionId),
        storeTime: at === null ? null : formatTime(at),
      },
    };
  } catch (thrown) {
    if (statusOf(thrown) === 412) return { created: false, receipt };
    throw failureOf(thrown, `write ${key}`, 's3:PutObject', session.address);
  }
}

function unconfirmed(key: string, echo: string | undefined): CouldNot {
  return new CouldNot(
    'store.checksum',
    `the store took ${key} ${echo === undefined ? 'without confirming its SHA-256' : 'and confirmed another SHA-256 than was sent'}: nothing shows that it holds these bytes; see gatehouse doctor --store`,
  );
}
