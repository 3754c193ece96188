import type { LifecycleRule } from '@aws-sdk/client-s3';
import { systemPatience } from '../../lib/aws/retry.ts';
import { codeOf, statusOf } from '../../lib/aws/thrown.ts';
import { digestOf, hexOf } from '../../lib/digest.ts';
import { CouldNot, messageOf } from '../../lib/errors.ts';
import type { Seen } from '../../lib/seen.ts';
import type { Environment } from '../store.ts';
import { probeObject, type ServerFacts, type StoreFacts } from '../store-facts.ts';
import { parseS3Url } from './address.ts';
import { failureOf } from './failure.ts';
import { read } from './read.ts';
import { type Loaded, Session } from './session.ts';

/** Looks at a bucket: three puts of small objects, of which a good one keeps the first, and questions about its settings. */
export async function probeS3(url: string, env: Environment, now: () => number): Promise<StoreFacts> {
  const address = parseS3Url(url);
  const session = new Session(address, env, systemPatience);
  const probe = probeObject(now());
  const putAt = now();
  const first = await putProbe(session, probe.key, probe.bytes, probe.bytes);
  const took = (answer: Answer) => ('output' in answer ? true : null);
  const again = 'output' in first ? await putProbe(session, probe.key, probe.other, probe.other) : first;
  const wrongKey = probe.key.replace('.json', '-wrong.json');
  const wrong = await putProbe(session, wrongKey, probe.bytes, probe.other);
  const output = 'output' in first ? first.output : null;
  const serverTime = output?.at ?? null;
  return {
    url: address.url,
    kind: 's3',
    left: [...(took(first) ? [probe.key] : []), ...(took(wrong) ? [wrongKey] : [])],
    putAt,
    createOnly: output === null ? { unknown: whyNot(first) } : refusedWith(again, [412]),
    kept: output === null ? { unknown: whyNot(first) } : await kept(session, probe.key, probe.bytes),
    serverTime:
      serverTime === null ? { unknown: output === null ? whyNot(first) : 'it sent no date' } : { value: serverTime },
    server: {
      ...(await settings(session)),
      lockedUntil: output === null ? { unknown: whyNot(first) } : await lockedUntil(session, probe.key),
      checksumConfirmed:
        output === null ? { unknown: whyNot(first) } : { value: output.echo === sha256Of(probe.bytes) },
      checksumVerified: refusedWith(wrong, [400]),
    },
  };
}

type Answer = { output: { echo: string | undefined; at: number | null } } | { refused: unknown };

/** Puts bytes under a checksum, which may be that of others. Throws CouldNot where there is no bucket to look at. */
async function putProbe(session: Session, key: string, bytes: Buffer, summed: Buffer): Promise<Answer> {
  try {
    return await session.send(async ({ client, sdk }) => {
      const output = await client.send(
        new sdk.PutObjectCommand({
          ...session.at(key),
          Body: bytes,
          ContentLength: bytes.length,
          ContentType: 'application/json',
          IfNoneMatch: '*',
          ChecksumAlgorithm: 'SHA256',
          ChecksumSHA256: sha256Of(summed),
        }),
      );
      return { output: { echo: output.ChecksumSHA256, at: sdk.serverTimeOf(output) } };
    });
  } catch (thrown) {
    const failure = failureOf(thrown, `write ${key}`, 's3:PutObject', session.address);
    if (statusOf(thrown) === null || NO_BUCKET.has(failure.code)) throw failure;
    return { refused: thrown };
  }
}

/** Failures after which there is nothing to report about. */
const NO_BUCKET: ReadonlySet<string> = new Set([
  'store.no_bucket',
  'store.credentials',
  'store.expired',
  'store.region',
  'store.clock',
]);

function refusedWith(answer: Answer, statuses: number[]): Seen<boolean> {
  if ('output' in answer) return { value: false };
  return statuses.includes(statusOf(answer.refused) ?? 0) ? { value: true } : { unknown: whyNot(answer) };
}

function whyNot(answer: Answer): string {
  return 'refused' in answer ? `the put was refused (${codeOf(answer.refused)})` : '';
}

async function settings(
  session: Session,
): Promise<Pick<ServerFacts, 'versioning' | 'lock' | 'ownership' | 'expiring'>> {
  const bucket = session.bucket();
  const [versioning, lock, ownership, expiring] = await Promise.all([
    ask(session, 's3:GetBucketVersioning', {}, async ({ client, sdk }) => {
      const { Status } = await client.send(new sdk.GetBucketVersioningCommand(bucket));
      return Status === 'Enabled'
        ? ('enabled' as const)
        : Status === 'Suspended'
          ? ('suspended' as const)
          : ('off' as const);
    }),
    ask(
      session,
      's3:GetBucketObjectLockConfiguration',
      { ObjectLockConfigurationNotFoundError: null },
      async ({ client, sdk }) => {
        const { ObjectLockConfiguration: lock } = await client.send(new sdk.GetObjectLockConfigurationCommand(bucket));
        if (lock?.ObjectLockEnabled !== 'Enabled') return null;
        const { Mode, Days, Years } = lock.Rule?.DefaultRetention ?? {};
        return { mode: Mode ?? null, days: Days ?? null, years: Years ?? null };
      },
    ),
    ask(session, 's3:GetBucketOwnershipControls', { OwnershipControlsNotFoundError: null }, async ({ client, sdk }) => {
      const { OwnershipControls } = await client.send(new sdk.GetBucketOwnershipControlsCommand(bucket));
      return OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? null;
    }),
    ask(session, 's3:GetLifecycleConfiguration', NO_RULES, async ({ client, sdk }) => {
      const { Rules } = await client.send(new sdk.GetBucketLifecycleConfigurationCommand(bucket));
      return (Rules ?? []).filter(expires).map(({ ID }, index) => ID ?? `rule ${index + 1}`);
    }),
  ]);
  return { versioning, lock, ownership, expiring };
}

/** A server that has no such rules at all says so instead. */
const NO_RULES: Readonly<Record<string, string[]>> = { NoSuchLifecycleConfiguration: [], NotImplemented: [] };

/** Expiration puts delete markers over objects; that of older versions destroys them as soon as their lock ends. */
function expires({ Status, Expiration, NoncurrentVersionExpiration }: LifecycleRule): boolean {
  return (
    Status === 'Enabled' &&
    (Expiration?.Days !== undefined || Expiration?.Date !== undefined || NoncurrentVersionExpiration !== undefined)
  );
}

/** A server that takes everything and keeps nothing answers a put like any other. */
async function kept(session: Session, key: string, bytes: Buffer): Promise<Seen<boolean>> {
  try {
    return { value: (await read(session, key))?.bytes.equals(bytes) === true };
  } catch (thrown) {
    return { unknown: messageOf(thrown) };
  }
}

async function lockedUntil(session: Session, key: string): Promise<Seen<number>> {
  const seen = await ask(session, 's3:GetObject and s3:GetObjectRetention', {}, async ({ client, sdk }) => {
    const { ObjectLockRetainUntilDate: until } = await client.send(new sdk.HeadObjectCommand(session.at(key)));
    return until === undefined ? null : until.getTime();
  });
  if ('unknown' in seen) return seen;
  return seen.value === null ? { unknown: 'the server does not show it on the object' } : { value: seen.value };
}

/** One question about the bucket; some answers come as errors. */
async function ask<T>(
  session: Session,
  permission: string,
  absent: Readonly<Record<string, T>>,
  question: (loaded: Loaded) => Promise<T>,
): Promise<Seen<T>> {
  try {
    return { value: await session.send(question) };
  } catch (thrown) {
    const code = codeOf(thrown);
    if (Object.hasOwn(absent, code)) return { value: absent[code] as T };
    if (statusOf(thrown) === 403) return { unknown: `these credentials lack ${permission}` };
    if (thrown instanceof CouldNot) throw thrown;
    return { unknown: `the server did not answer the question (${code})` };
  }
}

function sha256Of(bytes: Buffer): string {
  return Buffer.from(hexOf(digestOf(bytes)), 'hex').toString('base64');
}
