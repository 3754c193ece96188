import type { IncomingHttpHeaders } from 'node:http';
import { isDigest } from '../names.ts';
import { Refusal } from './answer.ts';
import type { Storage } from './storage.ts';

/** A request after its body was read, with what a handler may use. */
export interface Exchange {
  method: string;
  /** From the path: repository, and the last part (digest, tag or upload id). */
  repository: string;
  last: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  storage: Storage;
}

/** The digest of this text, or the refusal that every registry gives. */
export function digestIn(text: string | null): string {
  if (text === null || !isDigest(text)) throw new Refusal(400, 'DIGEST_INVALID', 'expected sha256:<64 lower-case hex>');
  return text;
}

/** How many entries the client wants on a page (`n`), or all. */
export function pageSize(query: URLSearchParams): number {
  const text = query.get('n');
  if (text === null) return Number.POSITIVE_INFINITY;
  if (!/^\d{1,6}$/.test(text)) throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', 'n must be a number');
  return Number(text);
}
