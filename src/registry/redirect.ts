import { CouldNot } from '../lib/errors.ts';
import type { HttpReply, HttpRequest, Send } from './http.ts';

const REDIRECTS = [301, 302, 303, 307, 308];
const MOST_REDIRECTS = 5;

/** Whether this host is the machine itself, the only place that may be spoken to without TLS. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]' || hostname === '::1';
}

/** Where requests may go: https anywhere; http only on loopback, and never after https. Throws CouldNot. */
export function refuseUnsafe(to: URL, from: URL | null): void {
  if (to.protocol === 'https:') return;
  const downgrade = from?.protocol === 'https:';
  if (to.protocol !== 'http:' || downgrade || !isLoopback(to.hostname)) {
    throw new CouldNot(
      'registry.unsafe_address',
      `${from === null ? 'a request' : `${placeOf(from)} sends us`} to ${placeOf(to)}: ${downgrade ? 'from https only https is followed' : 'plain http is spoken only with this machine'}, because anybody on the way could read and change it; check the address that the registry is configured to give out`,
    );
  }
}

/**
 * Follows redirects of GET and HEAD, as blobs are often kept elsewhere. Authorization goes only to the origin it was meant
 * for: the place a registry points at must not get its credentials.
 */
export function followRedirects(send: Send): Send {
  return async (request) => {
    let current = request;
    for (let hop = 0; ; hop++) {
      refuseUnsafe(current.url, hop === 0 ? null : request.url);
      const reply = await send(current);
      const next = nextOf(current, reply);
      if (next === null) return reply;
      reply.body.resume();
      if (hop === MOST_REDIRECTS) {
        throw new CouldNot(
          'registry.redirects',
          `${placeOf(request.url)} was redirected more than ${MOST_REDIRECTS} times: check the registry or the proxy in front of it`,
        );
      }
      current = next;
    }
  };
}

/** An address without its query, which may hold a signature, and without a user. */
export function placeOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** An absolute or relative Location, with a user in it taken out. Throws CouldNot where it is no address. */
export function locate(location: string, base: URL): URL {
  try {
    const url = new URL(location, base);
    url.username = '';
    url.password = '';
    return url;
  } catch (cause) {
    throw new CouldNot(
      'registry.location',
      `${placeOf(base)} answered with a Location that is no address: check the registry or the proxy in front of it`,
      cause,
    );
  }
}

function nextOf(request: HttpRequest, reply: HttpReply): HttpRequest | null {
  const { location } = reply.headers;
  const readOnly = request.method === 'GET' || request.method === 'HEAD';
  if (!readOnly || !REDIRECTS.includes(reply.status) || location === undefined) return null;
  const url = locate(location, request.url);
  const kept = Object.entries(request.headers).filter(
    ([name]) => name !== 'authorization' || url.origin === request.url.origin,
  );
  return { ...request, url, headers: Object.fromEntries(kept) };
}
