import { createHash } from 'node:crypto';
import { Denied } from '../lib/errors.ts';

/** Collects a body of at most `limit` bytes; throws `tooLarge()` as soon as there are more. */
export async function collect(body: AsyncIterable<Uint8Array>, limit: number, tooLarge: () => Error): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Passes bytes on while it hashes them. Whoever reads to the end without an error has exactly the content of this digest
 * (and size, where it is known); what came before an error must be thrown away.
 *
 * Throws Denied `registry.too_large` above `limit` bytes, `registry.size_mismatch`, `registry.digest_mismatch`.
 */
export async function* verified(
  body: AsyncIterable<Uint8Array>,
  expected: { digest: string; size: number | null; limit: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const limit = Math.min(expected.limit, expected.size ?? expected.limit);
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooMuch(what, expected.size, expected.limit);
    hash.update(chunk);
    yield chunk;
  }
  if (expected.size !== null && size !== expected.size) {
    throw new Denied(
      'registry.size_mismatch',
      `${what} has ${size} bytes where its descriptor says ${expected.size}: the content was cut or replaced`,
    );
  }
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== expected.digest) {
    throw new Denied(
      'registry.digest_mismatch',
      `${what} hashes to ${found}: the content was replaced or damaged, do not use it`,
    );
  }
}

function tooMuch(what: string, size: number | null, limit: number): Denied {
  if (size !== null && size <= limit) {
    return new Denied(
      'registry.size_mismatch',
      `${what} has more than the ${size} bytes that its descriptor says: the content was replaced`,
    );
  }
  return new Denied('registry.too_large', `${what} has more than ${limit} bytes, the most that is read here`);
}
