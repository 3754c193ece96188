import { BadInput } from '../../lib/errors.ts';

/** Exact numbers of bytes out of chunks of any size. */
export class ByteSource {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array();

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.chunks = bytes[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or null when the source ends before the first. Throws BadInput when it ends after it. */
  async readOrEnd(length: number): Promise<Buffer | null> {
    if (length > 0 && !(await this.fill())) return null;
    return await this.read(length);
  }

  /** Exactly `length` bytes. Throws BadInput `sbom.truncated`. */
  async read(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.take(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.take(length));
  }

  /** The next `length` bytes in parts; iterating twice goes on where the first stopped. */
  take(length: number): AsyncIterable<Uint8Array> {
    let left = length;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (left === 0) return { done: true, value: undefined };
      if (!(await this.fill())) throw truncated();
      const part = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(part.length);
      left -= part.length;
      return { done: false, value: part };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  private async fill(): Promise<boolean> {
    while (this.rest.length === 0) {
      const { done, value } = await this.chunks.next();
      if (done === true) return false;
      this.rest = value;
    }
    return true;
  }
}

function truncated(): BadInput {
  return new BadInput(
    'sbom.truncated',
    'a layer ends in the middle of an entry: it was cut off; fetch or rebuild the image',
  );
}
