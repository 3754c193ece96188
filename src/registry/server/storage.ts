import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a registry keeps its content: bytes under keys such as `acme/app/_tags/v1`. Synchronous, so that no request comes between another's check and its write. */
export interface Storage {
  get(key: string): Buffer | null;
  put(key: string, bytes: Buffer): void;
  /** The last parts of the keys directly below a prefix, sorted. */
  list(prefix: string): string[];
}

/** Content that ends with the process. */
export function memoryStorage(): Storage {
  const contents = new Map<string, Buffer>();
  return {
    get: (key) => contents.get(key) ?? null,
    put: (key, bytes) => void contents.set(key, bytes),
    list(prefix) {
      const below = [...contents.keys()]
        .filter((key) => key.startsWith(`${prefix}/`))
        .map((key) => key.slice(prefix.length + 1));
      return below.filter((name) => !name.includes('/')).sort(inOrder);
    },
  };
}

/** In a folder, one file a key: what is in the registry outlives the process. Keys never leave it: see names.ts. */
export function folderStorage(folder: string): Storage {
  const fileOf = (key: string) => join(folder, ...key.split('/'));
  return {
    get: (key) => (existsSync(fileOf(key)) ? readFileSync(fileOf(key)) : null),
    put(key, bytes) {
      const file = fileOf(key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}~`, bytes);
      renameSync(`${file}~`, file);
    },
    list(prefix) {
      const path = fileOf(prefix);
      return existsSync(path)
        ? readdirSync(path)
            .filter((name) => !name.endsWith('~'))
            .sort(inOrder)
        : [];
    },
  };
}

/** By code units, as the specification's lexical order of tags. */
function inOrder(a: string, b: string): number {
  return a < b ? -1 : 1;
}
