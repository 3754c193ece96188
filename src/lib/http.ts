import type { IncomingHttpHeaders } from 'node:http';
import { CouldNot, messageOf } from './errors.ts';

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PATCH';
  url: string;
  /** For errors, after "could not": `read run 42`. */
  what: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** The most bytes of an answer. */
  limit: number;
  /** Milliseconds for the whole exchange. */
  timeout: number;
  /** Gives a redirect back to the caller, who decides whether to follow it and without which headers. */
  handBackRedirects?: boolean;
  /** Certificate authorities (PEM) that are trusted besides Node's own list. */
  ca?: readonly string[];
  /** The only certificate authorities (PEM) that are trusted, in place of Node's own list. */
  onlyCa?: readonly string[];
}

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends one request once and gives the answer, whatever its status, but for a redirect. Throws CouldNot where none comes. */
export type Http = (request: HttpRequest) => Promise<HttpReply>;

/**
 * The real one: https, or plain http to this very machine. Redirects are refused: an API that sends its caller elsewhere is
 * not the API that the contract names. Connections are its own, so that neither the global agent nor a proxy variable has a say.
 *
 * Throws CouldNot `http.url`, `.unreachable`, `.timeout`, `.redirect`, `.too_large`. Query strings and headers, which may hold
 * secrets, are never part of a message.
 */
export const http: Http = async (request) => {
  const url = allowed(request);
  const reply = await exchange(request, url);
  if (reply.status >= 300 && reply.status < 400 && request.handBackRedirects !== true) {
    throw failure(
      'redirect',
      request,
      `${url.host} answered ${reply.status}, a redirect, which is never followed; name the final address in contract.yml`,
    );
  }
  return reply;
};

const LOOPBACK = ['127.0.0.1', 'localhost'];

function allowed(request: HttpRequest): URL {
  const url = URL.canParse(request.url) ? new URL(request.url) : null;
  if (url === null) throw failure('url', request, 'its address is not a URL; check it in contract.yml');
  if (url.username !== '' || url.password !== '') {
    throw failure('url', request, `the address of ${url.host} carries a password; take it out`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.includes(url.hostname))) {
    throw failure(
      'url',
      request,
      `${url.protocol}//${url.host} is not https: anybody on the way could answer; use https`,
    );
  }
  return url;
}

function exchange(request: HttpRequest, url: URL): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const outgoing = open(request, url);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      outgoing.destroy();
    }, request.timeout);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      end();
    };
    const fail = (cause: Error) =>
      settle(() => reject(late ? tooLate(request, url) : unreachable(request, url, cause)));
    outgoing.on('error', fail);
    outgoing.on('response', (message) => {
      const chunks: Buffer[] = [];
      let size = 0;
      message.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= request.limit) return;
        settle(() => reject(tooLarge(request, url)));
        outgoing.destroy();
      });
      message.on('error', fail);
      message.on('end', () =>
        settle(() =>
          resolve({ status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks, size) }),
        ),
      );
    });
    outgoing.end(request.body);
  });
}

/** Node's modules are fetched here: an `import` of them would cost 40 ms at the start of every command. */
function open(request: HttpRequest, url: URL) {
  const options = {
    method: request.method,
    headers: {
      'user-agent': 'gatehouse',
      ...request.headers,
      ...(request.body === undefined ? {} : { 'content-length': String(request.body.length) }),
    },
  };
  if (url.protocol === 'http:') {
    const { Agent, request: send } = process.getBuiltinModule('node:http');
    return send(url, { ...options, agent: new Agent() });
  }
  const { Agent, request: send } = process.getBuiltinModule('node:https');
  const { rootCertificates } = process.getBuiltinModule('node:tls');
  return send(url, {
    ...options,
    agent: new Agent({ ca: [...(request.onlyCa ?? rootCertificates), ...(request.ca ?? [])] }),
  });
}

function tooLate(request: HttpRequest, url: URL): CouldNot {
  return failure(
    'timeout',
    request,
    `${url.host} did not answer within ${request.timeout} ms; check the network and run again`,
  );
}

function tooLarge(request: HttpRequest, url: URL): CouldNot {
  return failure(
    'too_large',
    request,
    `${url.host} answered with more than ${request.limit} bytes, the most that is read`,
  );
}

function unreachable(request: HttpRequest, url: URL, cause: Error): CouldNot {
  const detail = messageOf(cause) || String((cause as NodeJS.ErrnoException).code ?? 'connection lost');
  return failure('unreachable', request, `${url.host}: ${detail}; check the address and the network`, cause);
}

function failure(code: string, { what }: HttpRequest, why: string, cause?: unknown): CouldNot {
  return new CouldNot(`http.${code}`, `could not ${what}: ${why}`, cause);
}
