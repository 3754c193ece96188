import { digestOf } from '../lib/digest.ts';
import { CouldNot, Denied } from '../lib/errors.ts';
import { collect, verified } from './body.ts';
import type { Content } from './http.ts';
import { isRepository } from './names.ts';
import { locate, placeOf } from './redirect.ts';
import { guarded, type Transport } from './transport.ts';

/** Which content: its digest, and its size in bytes where a descriptor says it. */
export interface BlobName {
  digest: string;
  size: number | null;
}

export interface Blobs {
  /** Size in bytes of a blob, null where there is none or `unknown` where the registry does not say how large it is. */
  headBlob(repository: string, digest: string): Promise<number | 'unknown' | null>;
  /** The whole content, at most `limit` bytes. Throws Denied where digest, size or limit do not fit. */
  getBlob(repository: string, blob: BlobName, limit: number): Promise<Buffer>;
  /** The content as a stream that throws Denied at its end where it was not this digest: use nothing of it before. */
  openBlob(repository: string, blob: BlobName, limit: number): Promise<AsyncGenerator<Uint8Array>>;
  /** Uploads content, unless the repository has it already. Throws Denied where `open` yields other bytes than `digest`. */
  putBlob(
    repository: string,
    blob: { digest: string; size: number },
    open: () => AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** putBlob of bytes; gives their digest. */
  putBytes(repository: string, bytes: Buffer): Promise<string>;
}

/**
 * Blobs over one registry’s transport. Throws CouldNot for a name that is no repository’s and where the registry does not
 * answer.
 */
export function createBlobs(transport: Transport): Blobs {
  const open = async (repository: string, blob: BlobName, limit: number): Promise<AsyncGenerator<Uint8Array>> => {
    const what = `blob ${blob.digest} of ${repository}`;
    if (blob.size !== null && blob.size > limit) {
      throw new Denied(
        'registry.too_large',
        `${what} has ${blob.size} bytes, more than the ${limit} that are read here`,
      );
    }
    const to = `${checked(repository)}/blobs/${blob.digest}`;
    const reply = await transport.attempt({
      method: 'GET',
      to,
      repository,
      access: 'pull',
      expect: [200],
      what: `read ${what}`,
    });
    return verified(reply.body, { ...blob, limit }, what);
  };

  const headBlob = async (repository: string, digest: string): Promise<number | 'unknown' | null> => {
    const to = `${checked(repository)}/blobs/${digest}`;
    const answer = await transport.exchange(
      {
        method: 'HEAD',
        to,
        repository,
        access: 'pull',
        expect: [200, 404],
        what: `look for blob ${digest} in ${repository}`,
      },
      0,
    );
    const length = answer.headers['content-length'];
    if (answer.status === 404) return null;
    return length === undefined ? 'unknown' : Number(length);
  };

  const upload = async (
    repository: string,
    blob: { digest: string; size: number },
    content: Content,
  ): Promise<void> => {
    const what = `store blob ${blob.digest} in ${repository}`;
    const call = { repository, access: 'pull,push', what } as const;
    const begun = await transport.attempt({
      ...call,
      method: 'POST',
      to: `${checked(repository)}/blobs/uploads/`,
      expect: [202],
    });
    begun.body.resume();
    const to = uploadAddress(begun.headers.location, begun.url, blob.digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const done = await transport.attempt({ ...call, method: 'PUT', to, headers, content, expect: [201] });
    done.body.resume();
  };

  const putBlob: Blobs['putBlob'] = async (repository, blob, source) => {
    const what = `store blob ${blob.digest} in ${repository}`;
    const present = await headBlob(repository, blob.digest);
    if (present === blob.size) return;
    const content = {
      size: blob.size,
      open: () => verified(source(), { ...blob, limit: blob.size }, `what was to be stored as ${blob.digest}`),
    };
    await transport.repeat(what, () => upload(repository, blob, content));
  };

  return {
    headBlob,
    async getBlob(repository, blob, limit) {
      const what = `read blob ${blob.digest} of ${repository}`;
      return await transport.repeat(what, async () => {
        const stream = await open(repository, blob, limit);
        return await guarded(what, transport.base, () =>
          collect(stream, limit, () => new Error('the stream has its own limit')),
        );
      });
    },
    openBlob: (repository, blob, limit) =>
      transport.repeat(`read blob ${blob.digest} of ${repository}`, () => open(repository, blob, limit)),
    putBlob,
    async putBytes(repository, bytes) {
      const digest = digestOf(bytes);
      await putBlob(repository, { digest, size: bytes.length }, async function* () {
        yield bytes;
      });
      return digest;
    },
  };
}

function checked(repository: string): string {
  if (!isRepository(repository)) throw new CouldNot('registry.reference', `"${repository}" is not a repository name`);
  return repository;
}

/** The address that the registry gave for the upload, with the digest added; what is there may be signed and stays as it is. */
function uploadAddress(location: string | undefined, base: URL, digest: string): URL {
  if (location === undefined) {
    throw new CouldNot(
      'registry.location',
      `${placeOf(base)} began an upload without saying where it goes on: check the registry or the proxy in front of it`,
    );
  }
  const { href } = locate(location, base);
  return new URL(`${href}${href.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`);
}
