import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Record } from '../contract/record.ts';
import { digestOf } from '../lib/digest.ts';
import { CouldNot } from '../lib/errors.ts';

/** Records that verified, in a file of this process until their rows are made: memory holds where each of them lies. */
export class RecordFile {
  readonly #path: string;
  readonly #file: number;
  readonly #places = new Map<string, { at: number; length: number; digest: string }>();
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'wx+', 0o600);
  }

  /** Keeps a record under the key that it was read at. */
  add(key: string, record: Record): void {
    const bytes = Buffer.from(JSON.stringify(record));
    this.#places.set(key, { at: this.#end, length: bytes.length, digest: digestOf(bytes) });
    // One write may stop short.
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#end += bytes.length;
  }

  /** The record that was kept under this key. Throws CouldNot `audit.records` when the file does not hold it as it was. */
  read(key: string): Record {
    const place = this.#places.get(key);
    const bytes = Buffer.alloc(place?.length ?? 0);
    const read = readSync(this.#file, bytes, 0, bytes.length, place?.at ?? 0);
    if (read !== bytes.length || digestOf(bytes) !== place?.digest)
      throw new CouldNot(
        'audit.records',
        `${this.#path} does not hold record ${key} as it was verified: something else writes to it; name another folder and build the index again`,
      );
    return JSON.parse(bytes.toString('utf8'));
  }

  close(): void {
    closeSync(this.#file);
  }
}
