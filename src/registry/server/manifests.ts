import { digestOf, hexOf } from '../../lib/digest.ts';
import { BadInput } from '../../lib/errors.ts';
import { type Descriptor, MANIFEST_LIMIT, type Manifest, parseManifest } from '../manifest.ts';
import { isDigest, isTag } from '../names.ts';
import { type Answer, json, Refusal } from './answer.ts';
import { blobKey } from './blobs.ts';
import { type Exchange, pageSize } from './exchange.ts';
import { noteReferrer } from './referrers.ts';
import type { Storage } from './storage.ts';

/** Where a manifest is kept, by the digest of its bytes. */
export function manifestKey(repository: string, digest: string): string {
  return `${repository}/_manifests/${hexOf(digest)}`;
}

/** GET and HEAD of a manifest by digest or tag. */
export function serveManifest({ storage, repository, last }: Exchange): Answer {
  const digest = resolve(storage, repository, last);
  const body = digest === null ? null : storage.get(manifestKey(repository, digest));
  if (digest === null || body === null)
    throw new Refusal(404, 'MANIFEST_UNKNOWN', `${repository} has no manifest ${last}`);
  const type = storage.get(typeKey(repository, digest));
  return {
    status: 200,
    headers: { 'content-type': type?.toString(), 'docker-content-digest': digest, etag: etagOf(digest) },
    body,
  };
}

/**
 * PUT of a manifest: everything it points at must be there, except its subject, which may come later (distribution
 * specification 1.1, "Pushing Manifests with Subject"). Honours If-Match and If-None-Match.
 */
export function storeManifest({ storage, repository, last, headers, body }: Exchange, referrersApi: boolean): Answer {
  if (body.length > MANIFEST_LIMIT)
    throw new Refusal(413, 'MANIFEST_INVALID', `a manifest has at most ${MANIFEST_LIMIT} bytes`);
  const type = headers['content-type']?.split(';')[0]?.trim() ?? '';
  const manifest = parse(body, type);
  const digest = digestOf(body);
  if (!isDigest(last) && !isTag(last))
    throw new Refusal(400, 'MANIFEST_INVALID', `${last} is neither a tag nor a digest`);
  if (isDigest(last) && last !== digest)
    throw new Refusal(400, 'DIGEST_INVALID', `the manifest hashes to ${digest}, not ${last}`);
  checkCondition(headers, resolve(storage, repository, last));
  checkContent(storage, repository, manifest);
  storage.put(typeKey(repository, digest), Buffer.from(type));
  storage.put(manifestKey(repository, digest), body);
  if (isTag(last)) storage.put(`${repository}/_tags/${last}`, Buffer.from(digest));
  const subject = referrersApi
    ? noteReferrer(storage, repository, { mediaType: type, digest, size: body.length }, manifest)
    : null;
  const noted = subject === null ? {} : { 'oci-subject': subject };
  return {
    status: 201,
    headers: { location: `/v2/${repository}/manifests/${digest}`, 'docker-content-digest': digest, ...noted },
  };
}

/** GET of the tags, in lexical order, in pages where the client wants them. */
export function listTags({ storage, repository, query }: Exchange): Answer {
  const all = storage.list(`${repository}/_tags`);
  if (all.length === 0 && storage.list(`${repository}/_manifests`).length === 0) {
    throw new Refusal(404, 'NAME_UNKNOWN', `there is no repository ${repository}`);
  }
  const after = query.get('last') ?? '';
  const rest = all.filter((tag) => tag > after);
  const tags = rest.slice(0, pageSize(query));
  const more = tags.length > 0 && tags.length < rest.length;
  const next = `/v2/${repository}/tags/list?n=${tags.length}&last=${encodeURIComponent(tags.at(-1) ?? '')}`;
  return json(200, { name: repository, tags }, more ? { link: `<${next}>; rel="next"` } : {});
}

function typeKey(repository: string, digest: string): string {
  return `${repository}/_types/${hexOf(digest)}`;
}

function etagOf(digest: string): string {
  return `"${digest}"`;
}

/** The digest that a tag means now, a digest as it is, or null. */
function resolve(storage: Storage, repository: string, reference: string): string | null {
  if (isDigest(reference)) return storage.get(manifestKey(repository, reference)) === null ? null : reference;
  return isTag(reference) ? (storage.get(`${repository}/_tags/${reference}`)?.toString() ?? null) : null;
}

function parse(body: Buffer, type: string): Manifest {
  try {
    return parseManifest(body, type, 'the manifest', (code, message) => new BadInput(code, message));
  } catch (error) {
    throw new Refusal(400, 'MANIFEST_INVALID', (error as Error).message);
  }
}

function checkCondition(headers: Exchange['headers'], current: string | null): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const failed =
    (match !== undefined && (current === null || match !== etagOf(current))) || (noneMatch === '*' && current !== null);
  if (failed) throw new Refusal(412, 'DENIED', `the tag means ${current ?? 'nothing'} now`);
}

function checkContent(storage: Storage, repository: string, manifest: Manifest): void {
  if (manifest.kind === 'index') {
    for (const entry of manifest.document.manifests) {
      refuseMissing(entry, storage.get(manifestKey(repository, entry.digest)), 'MANIFEST_UNKNOWN', repository);
    }
  } else {
    for (const entry of [manifest.document.config, ...manifest.document.layers]) {
      refuseMissing(entry, storage.get(blobKey(repository, entry.digest)), 'MANIFEST_BLOB_UNKNOWN', repository);
    }
  }
}

function refuseMissing(entry: Descriptor, bytes: Buffer | null, code: string, repository: string): void {
  if (bytes === null) throw new Refusal(404, code, `${repository} does not have ${entry.digest}`);
  if (bytes.length !== entry.size)
    throw new Refusal(400, 'SIZE_INVALID', `${entry.digest} has ${bytes.length} bytes, not ${entry.size}`);
}
