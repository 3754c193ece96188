import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collect } from '../body.ts';
import { type Answer, Refusal, refusalAnswer } from './answer.ts';
import { createGate, type Gate, type ServerAuth } from './auth.ts';
import { type Abilities, greet, handle, routeOf } from './routes.ts';
import { folderStorage, memoryStorage, type Storage } from './storage.ts';
import { createUploads } from './uploads.ts';

/** What a test may see of a request before it is answered. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingMessage['headers'];
}

/** Instead of an answer: a status, an answer of its own, a lost connection, or null for none. */
export type Fault = number | Answer | 'reset' | null;

export interface RegistryServerOptions {
  /** Default: a free one. */
  port?: number;
  /** Folder to keep content in; default: in memory. */
  folder?: string;
  /** False: no referrers API, so that clients use the referrers tag. Default true. */
  referrersApi?: boolean;
  /** The most referrers on a page; default: all. */
  referrersPage?: number;
  auth?: ServerAuth;
  faults?: (request: SeenRequest) => Fault;
}

export interface RegistryServer {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** The same without scheme, as image references begin. */
  host: string;
  close(): Promise<void>;
}

/** The most bytes of one request or blob: this registry is for demonstrations and tests and keeps uploads in memory. */
const LIMIT = 512 * 1024 * 1024;

/**
 * A registry of the OCI distribution specification 1.1 on 127.0.0.1: pull, push (monolithic, chunked, mounted), tags,
 * referrers. Digests, sizes and the presence of what a manifest points at are checked. Nothing can be deleted.
 */
export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const http = process.getBuiltinModule('node:http');
  const { referrersApi = true, referrersPage = Number.POSITIVE_INFINITY, auth, faults } = options;
  const registry: Registry = {
    storage: options.folder === undefined ? memoryStorage() : folderStorage(options.folder),
    abilities: { uploads: createUploads(LIMIT), referrersApi, referrersPage },
    gate: auth === undefined ? null : createGate(auth),
    faults: faults ?? (() => null),
  };
  const server = http.createServer((request, response) => void serve(registry, request, response));
  await listen(server, options.port ?? 0);
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, close: () => close(server) };
}

interface Registry {
  storage: Storage;
  abilities: Abilities;
  gate: Gate | null;
  faults: (request: SeenRequest) => Fault;
}

async function serve(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = request;
  try {
    const body = await collect(
      request,
      LIMIT,
      () => new Refusal(413, 'SIZE_INVALID', `at most ${LIMIT} bytes are taken at once`),
    );
    const fault = registry.faults({ method, path, headers });
    if (fault === 'reset') return void request.socket.destroy();
    const answer =
      fault === null
        ? answerTo(registry, { method, path, headers, body })
        : typeof fault === 'number'
          ? { status: fault }
          : fault;
    send(response, method, answer);
  } catch (error) {
    if (error instanceof Refusal) send(response, method, refusalAnswer(error));
    // The client went away in the middle: there is nobody to answer.
    else request.socket.destroy();
  }
}

/** Only to take paths apart. */
const ORIGIN = 'http://registry.invalid';

function answerTo(registry: Registry, request: SeenRequest & { body: Buffer }): Answer {
  const { method, headers, body } = request;
  try {
    if (!URL.canParse(request.path, ORIGIN)) throw new Refusal(400, 'NAME_INVALID', 'the path cannot be read');
    const { pathname, searchParams: query } = new URL(request.path, ORIGIN);
    if (pathname === '/token' && registry.gate !== null) return registry.gate.giveToken(query, headers);
    const route = routeOf(pathname);
    registry.gate?.admit({ method, repository: route?.repository ?? null, headers, host: headers.host ?? '' });
    if (pathname === '/v2/' || pathname === '/v2') return greet();
    if (route === null) throw new Refusal(404, 'UNSUPPORTED', 'there is no such path');
    const { repository, last } = route;
    return handle(
      route,
      { method, repository, last, query, headers, body, storage: registry.storage },
      registry.abilities,
    );
  } catch (error) {
    if (error instanceof Refusal) return refusalAnswer(error);
    throw error;
  }
}

function send(response: ServerResponse, method: string, { status, headers = {}, body }: Answer): void {
  const length = status === 204 ? {} : { 'content-length': body?.length ?? 0 };
  response.writeHead(status, { ...length, ...headers });
  response.end(method === 'HEAD' ? undefined : body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
