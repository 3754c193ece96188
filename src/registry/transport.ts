import type { IncomingHttpHeaders } from 'node:http';
import { Denied } from '../lib/errors.ts';
import type { SendAs } from './auth.ts';
import { collect } from './body.ts';
import type { HttpReply, HttpRequest } from './http.ts';
import { refusalOf } from './refusal.ts';
import { networkError, throwTransient, withRetries } from './retry.ts';
import type { Timing } from './timing.ts';

/** One exchange with the registry. */
export interface Call extends Omit<HttpRequest, 'url' | 'headers'> {
  /** An address, or a path below `/v2/`. */
  to: URL | string;
  headers?: Record<string, string>;
  /** Repository and what is wanted of it: `pull`, or `pull,push`. */
  repository: string;
  access: 'pull' | 'pull,push';
  /** Statuses that are an answer; every other is an error. */
  expect: readonly number[];
  /** For errors, after "could not": `read manifest sha256:… of acme/app`. */
  what: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  url: URL;
  body: Buffer;
}

export interface Transport {
  /** The registry's address. */
  readonly base: URL;
  /** One attempt, whose body is still to be read; throws Transient where another attempt may help. */
  attempt(call: Call): Promise<HttpReply>;
  /** As many attempts as allowed, each with its whole body of at most `limit` bytes. */
  exchange(call: Call, limit: number): Promise<Answer>;
  /** Runs something made of several attempts, from its beginning, as often as is allowed. */
  repeat<T>(what: string, action: () => Promise<T>): Promise<T>;
}

/** `base`: the registry’s address; `attempts`: how often a call is tried, at least 1, where another try may help. */
export function createTransport(send: SendAs, base: URL, timing: Timing, attempts: number): Transport {
  const attempt = async (call: Call): Promise<HttpReply> => {
    const { method, content } = call;
    const url = typeof call.to === 'string' ? new URL(`/v2/${call.to}`, base) : call.to;
    const request = { method, url, headers: call.headers ?? {}, ...(content === undefined ? {} : { content }) };
    const reply = await guarded(call.what, url, () => send(request, `repository:${call.repository}:${call.access}`));
    throwTransient(reply, call.what);
    if (!call.expect.includes(reply.status)) throw await refusalOf(reply, call.what);
    return reply;
  };

  const repeat = <T>(what: string, action: () => Promise<T>) => withRetries(attempts, timing, what, action);

  const exchange = (call: Call, limit: number): Promise<Answer> =>
    repeat(call.what, async () => {
      const reply = await attempt(call);
      const body = await guarded(call.what, reply.url, () =>
        collect(reply.body, limit, () => tooLarge(call, reply, limit)),
      );
      return { status: reply.status, headers: reply.headers, url: reply.url, body };
    });

  return { base, attempt, exchange, repeat };
}

/** Runs something that uses the network and gives its errors their family. */
export async function guarded<T>(what: string, url: URL, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    throw networkError(thrown, url.host, what);
  }
}

function tooLarge(call: Call, reply: HttpReply, limit: number): Denied {
  return new Denied(
    'registry.too_large',
    `could not ${call.what}: ${reply.url.host} answered with more than ${limit} bytes, the most that is read here`,
  );
}
