import { digestOf, hexOf } from '../../lib/digest.ts';
import { isRepository } from '../names.ts';
import { type Answer, Refusal } from './answer.ts';
import { digestIn, type Exchange } from './exchange.ts';
import type { Storage } from './storage.ts';
import type { Uploads } from './uploads.ts';

/** Blobs belong to a repository: what is in another cannot be read through this one. */
export function blobKey(repository: string, digest: string): string {
  return `${repository}/_blobs/${hexOf(digest)}`;
}

/** GET and HEAD of a blob. */
export function serveBlob({ storage, repository, last }: Exchange): Answer {
  const digest = digestIn(last);
  const body = storage.get(blobKey(repository, digest));
  if (body === null) throw new Refusal(404, 'BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'docker-content-digest': digest },
    body,
  };
}

/** POST: mounts a blob of another repository, takes a whole one at once (`digest`), or begins an upload. */
export function beginUpload({ storage, repository, query, body }: Exchange, uploads: Uploads): Answer {
  const mount = query.get('mount');
  if (mount !== null && mountBlob(storage, digestIn(mount), query.get('from') ?? '', repository))
    return created(repository, mount);
  if (query.has('digest')) return storeBlob(storage, repository, digestIn(query.get('digest')), body);
  return accepted(repository, uploads.begin(repository), 0);
}

/** PATCH: appends a piece, which must begin where the last one ended. */
export function appendUpload({ repository, last, headers, body }: Exchange, uploads: Uploads): Answer {
  const size = uploads.append(repository, last, body, rangeStart(headers['content-range']));
  return accepted(repository, last, size);
}

/** PUT: ends an upload, perhaps with its last (or only) piece, and checks it against the digest. */
export function endUpload({ storage, repository, last, query, headers, body }: Exchange, uploads: Uploads): Answer {
  const digest = digestIn(query.get('digest'));
  uploads.append(repository, last, body, rangeStart(headers['content-range']));
  return storeBlob(storage, repository, digest, uploads.end(repository, last));
}

/** GET of an upload: how much has arrived. */
export function uploadStatus({ repository, last }: Exchange, uploads: Uploads): Answer {
  return { ...accepted(repository, last, uploads.sizeOf(repository, last)), status: 204 };
}

/** DELETE of an upload: forgets it. */
export function cancelUpload({ repository, last }: Exchange, uploads: Uploads): Answer {
  uploads.end(repository, last);
  return { status: 204 };
}

function storeBlob(storage: Storage, repository: string, digest: string, bytes: Buffer): Answer {
  if (digestOf(bytes) !== digest)
    throw new Refusal(400, 'DIGEST_INVALID', `the content hashes to ${digestOf(bytes)}, not ${digest}`);
  storage.put(blobKey(repository, digest), bytes);
  return created(repository, digest);
}

function mountBlob(storage: Storage, digest: string, from: string, repository: string): boolean {
  const bytes = isRepository(from) ? storage.get(blobKey(from, digest)) : null;
  if (bytes !== null) storage.put(blobKey(repository, digest), bytes);
  return bytes !== null;
}

function created(repository: string, digest: string): Answer {
  return { status: 201, headers: { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest } };
}

function accepted(repository: string, id: string, size: number): Answer {
  const headers = {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(size - 1, 0)}`,
    'docker-upload-uuid': id,
  };
  return { status: 202, headers };
}

/** The first byte's position of `Content-Range: <start>-<end>` (without a unit, as the specification writes it), or null. */
function rangeStart(header: string | undefined): number | null {
  if (header === undefined) return null;
  const match = /^(?:bytes[ =])?(\d{1,15})-\d{1,15}(?:\/.*)?$/.exec(header);
  if (match === null) throw new Refusal(416, 'BLOB_UPLOAD_INVALID', 'Content-Range must be <start>-<end>');
  return Number(match[1]);
}
