import { isRepository } from '../names.ts';
import { type Answer, json, Refusal } from './answer.ts';
import { appendUpload, beginUpload, cancelUpload, endUpload, serveBlob, uploadStatus } from './blobs.ts';
import type { Exchange } from './exchange.ts';
import { listTags, serveManifest, storeManifest } from './manifests.ts';
import { listReferrers } from './referrers.ts';
import type { Uploads } from './uploads.ts';

export interface Abilities {
  uploads: Uploads;
  referrersApi: boolean;
  referrersPage: number;
}

/** What a path below /v2/ names: a repository, a kind of thing, and which one. */
export interface Route {
  repository: string;
  kind: string;
  last: string;
}

const PATH = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/;

/** Takes a path apart; null where it is none of the API's. Throws where the repository's name is not allowed. */
export function routeOf(path: string): Route | null {
  const match = PATH.exec(path);
  if (match === null) return null;
  const [, repository = '', kind = '', last = ''] = match;
  if (!isRepository(repository))
    throw new Refusal(400, 'NAME_INVALID', `${JSON.stringify(repository)} is not a repository name`);
  return { repository, kind, last };
}

type Handler = (exchange: Exchange, abilities: Abilities) => Answer;

const HANDLERS: Record<string, Handler> = {
  'GET blobs': serveBlob,
  'HEAD blobs': serveBlob,
  'POST blobs/uploads': (exchange, { uploads }) => beginUpload(exchange, uploads),
  'PATCH blobs/uploads': (exchange, { uploads }) => appendUpload(exchange, uploads),
  'PUT blobs/uploads': (exchange, { uploads }) => endUpload(exchange, uploads),
  'GET blobs/uploads': (exchange, { uploads }) => uploadStatus(exchange, uploads),
  'DELETE blobs/uploads': (exchange, { uploads }) => cancelUpload(exchange, uploads),
  'GET manifests': serveManifest,
  'HEAD manifests': serveManifest,
  'PUT manifests': (exchange, { referrersApi }) => storeManifest(exchange, referrersApi),
  'GET tags': listTags,
  'GET referrers': (exchange, { referrersApi, referrersPage }) => {
    if (!referrersApi) throw new Refusal(404, 'UNSUPPORTED', 'this registry has no referrers API');
    return listReferrers(exchange, referrersPage);
  },
};

/** Answers one request, or throws a Refusal. */
export function handle(route: Route, exchange: Exchange, abilities: Abilities): Answer {
  const handler = HANDLERS[`${exchange.method} ${route.kind}`];
  if (handler === undefined) throw new Refusal(405, 'UNSUPPORTED', `${exchange.method} is not offered here`);
  if (route.kind === 'tags' && route.last !== 'list') throw new Refusal(404, 'UNSUPPORTED', 'there is no such path');
  return handler(exchange, abilities);
}

/** GET /v2/: says that this is a registry. */
export function greet(): Answer {
  return json(200, {}, { 'docker-distribution-api-version': 'registry/2.0' });
}
