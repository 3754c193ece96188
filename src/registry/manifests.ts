import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot, Denied } from '../lib/errors.ts';
import type { Descriptor } from './manifest.ts';
import { MANIFEST_LIMIT } from './manifest.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import { isDigest, isRepository, isTag } from './names.ts';
import type { Answer, Call, Transport } from './transport.ts';

/** The bytes of a manifest with what they are; usable as a descriptor. */
export interface FetchedManifest {
  mediaType: string;
  digest: string;
  size: number;
  bytes: Buffer;
  /** The registry's mark for this state of a tag (a strong ETag), for a conditional put; else null. */
  etag: string | null;
}

/** Only store if the tag is still in this state: an ETag, or `absent`. A registry that knows no conditions ignores it. */
export type Condition = { etag: string } | 'absent' | null;

export interface Manifests {
  /** A manifest by digest or tag, or null where there is none. Throws Denied where the bytes are not of this digest. */
  findManifest(repository: string, reference: string): Promise<FetchedManifest | null>;
  /** As findManifest, but absence is CouldNot `registry.not_found`. */
  getManifest(repository: string, reference: string): Promise<FetchedManifest>;
  /** Type, digest and size without the bytes, as the registry says; null where there is none. */
  headManifest(repository: string, reference: string): Promise<Descriptor | null>;
  /** The digest that a tag means now, computed from the bytes. Throws CouldNot where there is no such tag. */
  resolveTag(repository: string, tag: string): Promise<string>;
  /** Stores a manifest under its digest (tried again when the network fails). */
  putManifest(repository: string, manifest: { mediaType: string; bytes: Buffer }): Promise<void>;
  /**
   * Stores a manifest under a tag, once: after a Transient only the caller can tell whether to overwrite what is there now.
   * False: the condition was not met (HTTP 412), nothing was stored.
   */
  putTag(
    repository: string,
    tag: string,
    manifest: { mediaType: string; bytes: Buffer },
    condition: Condition,
  ): Promise<boolean>;
}

/**
 * Manifests over one registry’s transport. Throws BadInput for a name that is none, CouldNot where the registry does not answer.
 */
export function createManifests(transport: Transport): Manifests {
  const read = (method: 'GET' | 'HEAD', repository: string, reference: string): Promise<Answer> =>
    transport.exchange(
      {
        method,
        to: pathOf(repository, reference),
        headers: { accept: MANIFEST_TYPES.join(', ') },
        repository,
        access: 'pull',
        expect: [200, 404],
        what: `read manifest ${reference} of ${repository}`,
      },
      MANIFEST_LIMIT,
    );

  const findManifest = async (repository: string, reference: string): Promise<FetchedManifest | null> => {
    const answer = await read('GET', repository, reference);
    return answer.status === 404 ? null : fetched(answer, repository, reference);
  };

  const getManifest = async (repository: string, reference: string): Promise<FetchedManifest> => {
    return (await findManifest(repository, reference)) ?? notFound(repository, reference);
  };

  const put = (
    repository: string,
    reference: string,
    mediaType: string,
    bytes: Buffer,
    condition: Condition,
  ): Call => ({
    method: 'PUT',
    to: pathOf(repository, reference),
    headers: { 'content-type': mediaType, ...conditional(condition) },
    content: { size: bytes.length, open: () => [bytes] },
    repository,
    access: 'pull,push',
    expect: condition === null ? [201] : [201, 412],
    what: `store manifest ${reference} in ${repository}`,
  });

  return {
    findManifest,
    getManifest,
    async headManifest(repository, reference) {
      const answer = await read('HEAD', repository, reference);
      return answer.status === 404 ? null : described(answer, repository, reference);
    },
    async resolveTag(repository, tag) {
      return (await getManifest(repository, tag)).digest;
    },
    async putManifest(repository, { mediaType, bytes }) {
      const digest = digestOf(bytes);
      const answer = await transport.exchange(put(repository, digest, mediaType, bytes, null), 65_536);
      refuseOtherDigest(answer.headers['docker-content-digest'], digest, 'what was stored');
    },
    async putTag(repository, tag, { mediaType, bytes }, condition) {
      const reply = await transport.attempt(put(repository, tag, mediaType, bytes, condition));
      reply.body.resume();
      if (reply.status === 412) return false;
      refuseOtherDigest(reply.headers['docker-content-digest'], digestOf(bytes), 'what was stored');
      return true;
    },
  };
}

function pathOf(repository: string, reference: string): string {
  if (!isRepository(repository) || !(isDigest(reference) || isTag(reference))) {
    throw new BadInput(
      'registry.reference',
      `"${repository}" with "${reference}" names no manifest: expected a repository and a digest or a tag`,
    );
  }
  return `${repository}/manifests/${reference}`;
}

function fetched(answer: Answer, repository: string, reference: string): FetchedManifest {
  const { body, headers } = answer;
  const digest = digestOf(body);
  const what = `manifest ${reference} of ${repository}`;
  if (isDigest(reference) && digest !== reference) {
    throw new Denied(
      'registry.digest_mismatch',
      `${answer.url.host} answered with other bytes for ${what}: they hash to ${digest}; the content was replaced or damaged, do not use it`,
    );
  }
  refuseOtherDigest(headers['docker-content-digest'], digest, what);
  return {
    mediaType: mediaTypeOf(headers['content-type'], what),
    digest,
    size: body.length,
    bytes: body,
    etag: strong(headers.etag),
  };
}

function described(answer: Answer, repository: string, reference: string): Descriptor {
  const { headers } = answer;
  const what = `manifest ${reference} of ${repository}`;
  const digest = headers['docker-content-digest'] ?? reference;
  if (Array.isArray(digest) || !isDigest(digest)) {
    throw new CouldNot(
      'registry.header',
      `${answer.url.host} did not say the digest of ${what}: ask for the manifest itself`,
    );
  }
  if (isDigest(reference)) refuseOtherDigest(digest, reference, what);
  return {
    mediaType: mediaTypeOf(headers['content-type'], what),
    digest,
    size: Number(headers['content-length'] ?? 0),
  };
}

/** A registry that names another digest than it serves is not to be believed in either; other algorithms are not compared. */
function refuseOtherDigest(header: string | string[] | undefined, digest: string, what: string): void {
  if (typeof header === 'string' && isDigest(header) && header !== digest) {
    throw new Denied(
      'registry.digest_mismatch',
      `the registry calls ${what} ${header}, but it is ${digest}: do not use it`,
    );
  }
}

function mediaTypeOf(header: string | undefined, what: string): string {
  const type = header?.split(';')[0]?.trim() ?? '';
  if (type === '')
    throw new CouldNot(
      'registry.header',
      `the registry did not say of which type ${what} is: check the registry or the proxy in front of it`,
    );
  return type;
}

function strong(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e]+"$/.test(etag) ? etag : null;
}

function conditional(condition: Condition): Record<string, string> {
  if (condition === null) return {};
  return condition === 'absent' ? { 'if-none-match': '*' } : { 'if-match': condition.etag };
}

function notFound(repository: string, reference: string): never {
  throw new CouldNot(
    'registry.not_found',
    `${repository} has no manifest ${reference}: check the name and the digest, and that the image was pushed there`,
  );
}
