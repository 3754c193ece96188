import type { Agent as HttpAgent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What is sent: `open` is called once an attempt, so that a body can be sent again. Sizes are in bytes. */
export interface Content {
  size: number;
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  url: URL;
  headers: Record<string, string>;
  content?: Content;
}

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where the answer came from: another place than was asked after a redirect. */
  url: URL;
  body: Readable;
}

/** Sends one request once and gives whatever answer comes; throws only where none comes. */
export type Send = (request: HttpRequest) => Promise<HttpReply>;

export interface SenderOptions {
  /** Certificate authorities (PEM) that are trusted besides Node's own list. */
  ca: string | null;
  /** Milliseconds without a byte in either direction after which a request is given up. */
  idleTimeout: number;
  /** Milliseconds after which a request is given up although bytes still trickle. */
  deadline: number;
}

/**
 * A sender over Node's own http and https, on connections of its own: neither the global agent nor a proxy variable of the
 * environment has a say in where requests go.
 */
export function createSender(options: SenderOptions): Send {
  const connections = lazy(() => openConnections(options.ca));
  return (request) => {
    const { http, https, plain, secure } = connections();
    const tls = request.url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const outgoing = (tls ? https : http).request(request.url, {
        method: request.method,
        headers: headersOf(request),
        agent: tls ? secure : plain,
        signal: AbortSignal.timeout(options.deadline),
      });
      outgoing.setTimeout(options.idleTimeout, () => {
        outgoing.destroy(new Error(`nothing was heard for ${options.idleTimeout} ms`));
      });
      outgoing.on('response', (message) => resolve(replyOf(message, request.url)));
      outgoing.on('error', reject);
      if (request.content === undefined) outgoing.end();
      // An answer that comes before everything is sent counts: what then happens to the rest does not.
      else pipeline(Readable.from(request.content.open()), outgoing).catch(reject);
    });
  };
}

function headersOf(request: HttpRequest): Record<string, string> {
  const size = request.content?.size ?? (request.method === 'POST' || request.method === 'PUT' ? 0 : null);
  return {
    'user-agent': 'gatehouse',
    ...request.headers,
    ...(size === null ? {} : { 'content-length': String(size) }),
  };
}

function replyOf(message: IncomingMessage, url: URL): HttpReply {
  return { status: message.statusCode ?? 0, headers: message.headers, url, body: message };
}

interface Connections {
  http: typeof import('node:http');
  https: typeof import('node:https');
  plain: HttpAgent;
  secure: HttpsAgent;
}

/** Only a command that talks to a registry pays for these modules (an `import` of them would cost 40 ms at start-up). */
function openConnections(ca: string | null): Connections {
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const { rootCertificates } = process.getBuiltinModule('node:tls');
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({ keepAlive: true, ...(ca === null ? {} : { ca: [...rootCertificates, ca] }) });
  return { http, https, plain, secure };
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
