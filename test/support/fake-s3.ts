import { createHash, randomBytes } from 'node:crypto';
import { type Reply, type Seen, startServer, type TestServer } from './json-server.ts';

interface Kept {
  versionId: string;
  bytes: Buffer;
  at: Date;
}

/** What a server may do otherwise than S3 does. */
export interface Flaws {
  /** Answers before anything else does, or leaves it to the rest. */
  first?: (seen: Seen) => Reply | undefined;
  ignoresConditions?: boolean;
  /** So many puts are kept and answered as if they had failed. */
  losesAnswers?: number;
  /** Answers puts and keeps nothing. */
  forgets?: boolean;
  /** What it confirms in place of the checksum that it was sent; null for nothing. */
  echo?: string | null;
  acceptsWrongChecksums?: boolean;
}

/**
 * NOT an S3 server: a few requests of one, in memory and without signatures, for faults that no real server here has. What a
 * store really does is tested against versitygw and LocalStack.
 */
export async function startFakeS3(flaws: Flaws = {}): Promise<TestServer & { url: string; store: string }> {
  const objects = new Map<string, Kept[]>();
  const server = await startServer((seen) => flaws.first?.(seen) ?? answer(seen, objects, flaws));
  return { ...server, store: `s3://fake/p?region=us-east-1&endpoint=${server.url}` };
}

export const FAKE_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIAFAKE0123456789AB', AWS_SECRET_ACCESS_KEY: 'hunter2hunter2' };

export function s3Error(status: number, code: string, message = 'no', headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/xml', ...headers },
    bytes: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}

function answer(seen: Seen, objects: Map<string, Kept[]>, flaws: Flaws): Reply {
  const { method, path, query } = seen;
  const key = decodeURIComponent(path.slice('/fake/'.length));
  if (method === 'PUT') return put(seen, key, objects, flaws);
  if (query.has('versions')) return list(query.get('prefix') ?? '', objects);
  if (key === '') return s3Error(403, 'AccessDenied');
  const asked = query.get('versionId');
  const found = objects.get(key)?.findLast(({ versionId }) => asked === null || versionId === asked);
  if (found === undefined) return s3Error(404, 'NoSuchKey');
  return {
    headers: {
      'content-type': 'application/json',
      'content-length': String(found.bytes.length),
      'last-modified': found.at.toUTCString(),
      'x-amz-version-id': found.versionId,
    },
    bytes: method === 'HEAD' ? '' : found.bytes,
  };
}

function put({ headers, body }: Seen, key: string, objects: Map<string, Kept[]>, flaws: Flaws): Reply {
  const sha256 = createHash('sha256').update(body).digest('base64');
  if (headers['x-amz-checksum-sha256'] !== sha256 && !flaws.acceptsWrongChecksums) return s3Error(400, 'BadDigest');
  const versions = objects.get(key) ?? [];
  if (headers['if-none-match'] === '*' && versions.length > 0 && !flaws.ignoresConditions)
    return s3Error(412, 'PreconditionFailed');
  const versionId = randomBytes(8).toString('hex');
  if (!flaws.forgets) objects.set(key, [...versions, { versionId, bytes: body, at: new Date() }]);
  if ((flaws.losesAnswers ?? 0) > 0) {
    flaws.losesAnswers = (flaws.losesAnswers as number) - 1;
    return s3Error(500, 'InternalError');
  }
  const echo = flaws.echo === undefined ? headers['x-amz-checksum-sha256'] : flaws.echo;
  return {
    headers: {
      'x-amz-version-id': versionId,
      ...(echo === null ? {} : { 'x-amz-checksum-sha256': String(echo) }),
    },
    bytes: '',
  };
}

function list(prefix: string, objects: Map<string, Kept[]>): Reply {
  const rows = [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, versions]) =>
      versions
        .toReversed()
        .map(
          ({ versionId, bytes, at }, index) =>
            `<Version><Key>${key}</Key><VersionId>${versionId}</VersionId><IsLatest>${index === 0}</IsLatest><LastModified>${at.toISOString()}</LastModified><Size>${bytes.length}</Size></Version>`,
        ),
    );
  return {
    headers: { 'content-type': 'application/xml' },
    bytes: `<?xml version="1.0"?><ListVersionsResult><IsTruncated>false</IsTruncated>${rows.join('')}</ListVersionsResult>`,
  };
}
