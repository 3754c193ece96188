import { randomUUID } from 'node:crypto';
import { Refusal } from './answer.ts';

/** Uploads that have begun and not ended, by repository and id; kept in memory, as they are worth nothing after a restart. */
export interface Uploads {
  begin(repository: string): string;
  /** Appends; `start` is where the client believes to be, or null. Gives the bytes so far. */
  append(repository: string, id: string, bytes: Buffer, start: number | null): number;
  sizeOf(repository: string, id: string): number;
  /** Takes the upload out and gives its bytes. */
  end(repository: string, id: string): Buffer;
}

/** `limit`: the most bytes of one upload. Throws Refusal for what is unknown, out of order or too large. */
export function createUploads(limit: number): Uploads {
  const open = new Map<string, { chunks: Buffer[]; size: number }>();

  const find = (repository: string, id: string) => {
    const upload = open.get(`${repository} ${id}`);
    if (upload === undefined) throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', `${repository} has no upload ${id}`);
    return upload;
  };

  return {
    begin(repository) {
      const id = randomUUID();
      open.set(`${repository} ${id}`, { chunks: [], size: 0 });
      return id;
    },
    append(repository, id, bytes, start) {
      const upload = find(repository, id);
      if (start !== null && start !== upload.size) {
        const headers = {
          range: `0-${Math.max(upload.size - 1, 0)}`,
          location: `/v2/${repository}/blobs/uploads/${id}`,
        };
        throw new Refusal(416, 'BLOB_UPLOAD_INVALID', `the next piece must begin at ${upload.size}`, headers);
      }
      if (upload.size + bytes.length > limit)
        throw new Refusal(413, 'SIZE_INVALID', `a blob has at most ${limit} bytes here`);
      upload.chunks.push(bytes);
      upload.size += bytes.length;
      return upload.size;
    },
    sizeOf: (repository, id) => find(repository, id).size,
    end(repository, id) {
      const { chunks } = find(repository, id);
      open.delete(`${repository} ${id}`);
      return Buffer.concat(chunks);
    },
  };
}
