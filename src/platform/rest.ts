import type { IncomingHttpHeaders } from 'node:http';
import { problemText } from '../contract/problems.ts';
import { CouldNot, messageOf } from '../lib/errors.ts';
import type { Http, HttpReply, HttpRequest } from '../lib/http.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';

export interface RestOptions {
  http: Http;
  /** Base address of the API, from the contract. */
  base: string;
  headers: Record<string, string>;
  /** Waits so many milliseconds between attempts. */
  sleep(milliseconds: number): Promise<void>;
}

/** What is asked: `what` reads after "could not", `need` is the permission without which the platform answers 403 or 404. */
export interface Question<S extends z.ZodMiniType> {
  path: string;
  schema: S;
  what: string;
  need: string;
}

export interface Rest {
  /** Null where the platform answers 404. It answers so too where it hides: ask only what the token is known to see. */
  find<S extends z.ZodMiniType>(question: Question<S>): Promise<z.infer<S> | null>;
  get<S extends z.ZodMiniType>(question: Question<S>): Promise<z.infer<S>>;
  post<S extends z.ZodMiniType>(question: Question<S> & { url: string; body: unknown }): Promise<z.infer<S>>;
  /** The bytes of a file, at most `limit`, also where the platform keeps its files at another place. */
  download(question: Omit<Question<z.ZodMiniType>, 'schema'> & { limit: number }): Promise<Buffer>;
  /** The pages of a list, one by one; throws where there are more than are read. */
  pages<S extends z.ZodMiniType<unknown[]>>(question: Question<S>): AsyncGenerator<z.infer<S>>;
  /** The first entries, a thousand at most, of a list whose pages the platform links by marks of its own instead of numbers. */
  linked<S extends z.ZodMiniType<unknown[]>>(question: Question<S>): Promise<z.infer<S>>;
  /** The whole list. */
  list<S extends z.ZodMiniType<unknown[]>>(question: Question<S>): Promise<z.infer<S>>;
}

export const PER_PAGE = 100;
const PAGES = 10;
const LIMIT = 8 * 1024 * 1024;
const TIMEOUT = 30_000;
const DOWNLOAD_TIMEOUT = 600_000;
const DELAYS = [500, 2_000];
const MOVED = [302, 303, 307];

/**
 * A platform's JSON API. An answer counts only with status 200, as JSON, and when it fits the schema: anything else is
 * CouldNot `platform.refused`, `.rate_limited`, `.unavailable`, `.status`, `.reply`, `.incomplete` or `.too_many`, never an empty list.
 */
export function createRest(options: RestOptions): Rest {
  const base = options.base.replace(/\/+$/, '');

  const ask = async <S extends z.ZodMiniType>(question: Question<S>, sent: Sent): Promise<Answer<z.infer<S>>> => {
    const reply = await patiently(options, question, sent);
    return { body: parsed(reply, question), headers: reply.headers };
  };

  const get: Rest['get'] = async (question) =>
    (await ask(question, { method: 'GET', url: `${base}${question.path}` })).body;

  const pages: Rest['pages'] = async function* (question) {
    let count = 0;
    for (let page = 1; page <= PAGES; page++) {
      const url = `${base}${question.path}${question.path.includes('?') ? '&' : '?'}per_page=${PER_PAGE}&page=${page}`;
      const { body, headers } = await ask(question, { method: 'GET', url });
      yield body;
      count += body.length;
      // A full page is always followed by another question: a missing link must not hide what comes after it.
      if (body.length < PER_PAGE && !namesNextPage(headers)) {
        const total = headers['x-total'];
        if (total === undefined || total === String(count)) return;
        throw failure('incomplete', question, `${count} entries came of the ${total} that there are; run again`);
      }
    }
    throw failure('too_many', question, `there are ${PAGES * PER_PAGE} entries or more, which is more than is read`);
  };

  return {
    get,
    find: async (question) => {
      try {
        return await get(question);
      } catch (thrown) {
        if (thrown instanceof NotThere) return null;
        throw thrown;
      }
    },
    pages,
    download: async ({ limit, ...question }) => {
      const wanted = { ...question, schema: z.unknown() };
      const sent = { method: 'GET' as const, url: `${base}${question.path}`, limit, timeout: DOWNLOAD_TIMEOUT };
      const reply = await patiently(options, wanted, { ...sent, handBackRedirects: true });
      if (!MOVED.includes(reply.status)) return reply.body;
      // Files often lie in an object store, behind an address that carries its own permission: the token is not for there.
      const url = movedTo(reply, sent.url, wanted);
      return (await patiently({ ...options, headers: {} }, wanted, { ...sent, url, handBackRedirects: false })).body;
    },
    post: async (question) =>
      (await ask(question, { method: 'POST', url: question.url, body: Buffer.from(JSON.stringify(question.body)) }))
        .body,
    linked: async (question) => {
      const all = [];
      let url: string | null = `${base}${question.path}${question.path.includes('?') ? '&' : '?'}per_page=${PER_PAGE}`;
      for (let page = 1; page <= PAGES && url !== null; page++) {
        const { body, headers }: Answer<z.infer<typeof question.schema>> = await ask(question, { method: 'GET', url });
        all.push(...body);
        url = nextLinked(headers, base);
      }
      return all as z.infer<typeof question.schema>;
    },
    list: async (question) => {
      const all = [];
      for await (const page of pages(question)) all.push(...page);
      return all as z.infer<typeof question.schema>;
    },
  };
}

class NotThere extends CouldNot {}

type Sent = Pick<HttpRequest, 'method' | 'url' | 'handBackRedirects'> & {
  body?: Buffer;
  limit?: number;
  timeout?: number;
};

interface Answer<T> {
  body: T;
  headers: IncomingHttpHeaders;
}

/** GitHub names the next page in `link`, GitLab in `x-next-page` or `link`. */
function namesNextPage({ link, 'x-next-page': next }: IncomingHttpHeaders): boolean {
  return (typeof next === 'string' && next !== '') || /rel="?next"?/.test(String(link ?? ''));
}

/** The address of the next page, where it is one of the same API: the token goes nowhere else. */
function nextLinked({ link }: IncomingHttpHeaders, base: string): string | null {
  const url = /<([^<>]+)>;\s*rel="next"/.exec(String(link ?? ''))?.[1];
  return url?.startsWith(`${base}/`) ? url : null;
}

/** Asks again, twice at most, where the platform was not there for the moment. */
async function patiently(options: RestOptions, question: Question<z.ZodMiniType>, sent: Sent): Promise<HttpReply> {
  for (const delay of [...DELAYS, null]) {
    const reply = await once(options, question, sent);
    if (reply instanceof CouldNot) {
      if (delay === null || !['http.unreachable', 'http.timeout', 'platform.unavailable'].includes(reply.code))
        throw reply;
      await options.sleep(delay);
    } else return reply;
  }
  throw new Error('unreachable');
}

async function once(
  options: RestOptions,
  question: Question<z.ZodMiniType>,
  sent: Sent,
): Promise<HttpReply | CouldNot> {
  try {
    const reply = await options.http({
      ...sent,
      what: question.what,
      headers: {
        accept: 'application/json',
        ...options.headers,
        ...(sent.body && { 'content-type': 'application/json' }),
      },
      limit: sent.limit ?? LIMIT,
      timeout: sent.timeout ?? TIMEOUT,
    });
    const moved = sent.handBackRedirects === true && MOVED.includes(reply.status);
    return reply.status === 200 || moved ? reply : refusal(reply, question);
  } catch (thrown) {
    if (thrown instanceof CouldNot) return thrown;
    throw thrown;
  }
}

/** Never from https to plain http; the address may hold a signature and is in no message. */
function movedTo({ headers }: HttpReply, from: string, question: Question<z.ZodMiniType>): string {
  const url = URL.canParse(headers.location ?? '', from) ? new URL(headers.location ?? '', from) : null;
  if (url === null || (url.protocol !== 'https:' && from.startsWith('https:')))
    throw failure('redirect', question, 'the platform sends us to an address that is not https');
  return url.href;
}

function refusal({ status, headers }: HttpReply, question: Question<z.ZodMiniType>): CouldNot {
  if (status >= 500) return failure('unavailable', question, `the platform answered ${status}; run again later`);
  if (status === 429 || headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined) {
    return failure('rate_limited', question, `the platform answered ${status}: too many requests; run again later`);
  }
  if (status === 404) {
    return new NotThere(
      'platform.refused',
      `could not ${question.what}: the platform answered 404, which is also how it hides what a token may not see; it must exist, and the token needs ${question.need}`,
    );
  }
  if (status === 401 || status === 403) {
    return failure(
      'refused',
      question,
      `the platform answered ${status}; it must exist, and the token needs ${question.need}`,
    );
  }
  return failure('status', question, `the platform answered ${status}, which is no answer to that question`);
}

function parsed<S extends z.ZodMiniType>(reply: HttpReply, question: Question<S>): z.infer<S> {
  let document: unknown;
  try {
    document = parseJson(reply.body, 'the answer');
  } catch (cause) {
    throw failure('reply', question, `${messageOf(cause)}; is the address in contract.yml that of the API?`, cause);
  }
  const found = question.schema.safeParse(document);
  if (found.success) return found.data;
  throw failure(
    'reply',
    question,
    `the answer is not of the expected shape: ${problemText(found.error, question.schema)}`,
  );
}

function failure(code: string, { what }: { what: string }, why: string, cause?: unknown): CouldNot {
  return new CouldNot(`platform.${code}`, `could not ${what}: ${why}`, cause);
}
