import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  /** Path without query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A JSON document, or bytes as they are; `hangUp` breaks the connection in place of an answer. */
export interface Reply {
  hangUp?: boolean;
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  bytes?: string | Buffer;
}

export interface TestServer {
  /** `http://127.0.0.1:<port>`, or https */
  url: string;
  seen: Seen[];
  close(): Promise<void>;
}

/** A server on loopback for one test file; what a handler throws is answered with 500 and its message. */
export async function startServer(
  handle: (seen: Seen) => Reply | Promise<Reply>,
  tls?: { key: string; cert: string },
): Promise<TestServer> {
  const seen: Seen[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const one = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      seen.push(one);
      void Promise.resolve()
        .then(() => handle(one))
        .catch((error: Error): Reply => ({ status: 500, json: { message: error.message } }))
        .then(({ status = 200, headers = {}, json, bytes, hangUp = false }) => {
          if (hangUp) return void request.socket.destroy();
          const body = bytes ?? JSON.stringify(json);
          response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
          response.end(body);
        });
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http${tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
