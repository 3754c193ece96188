import { Readable } from 'node:stream';
import type { HttpRequest, Send } from '../../../src/registry/http.ts';
import { followRedirects } from '../../../src/registry/redirect.ts';
import { thrownBy } from './scene.ts';

/** A network in which each address leads to another, or answers 200. */
function network(redirects: Record<string, string>) {
  const seen: HttpRequest[] = [];
  const send: Send = async (request) => {
    seen.push(request);
    const location = redirects[request.url.href];
    return {
      status: location === undefined ? 200 : 307,
      headers: location === undefined ? {} : { location },
      url: request.url,
      body: Readable.from([]),
    };
  };
  return { send: followRedirects(send), seen };
}

const request = (url: string, method: HttpRequest['method'] = 'GET'): HttpRequest => ({
  method,
  url: new URL(url),
  headers: { authorization: 'Bearer secret', accept: 'x' },
});
const START = 'https://registry.example.org/v2/a/blobs/x';

describe('a redirect', () => {
  it.each<[string, string, string, object]>([
    [
      'to another host goes without credentials',
      'https://cdn.example.org/x?sig=1',
      'https://cdn.example.org/x?sig=1',
      { accept: 'x' },
    ],
    [
      'to another port of the host too',
      'https://registry.example.org:8443/x',
      'https://registry.example.org:8443/x',
      { accept: 'x' },
    ],
    [
      'to a name below the host too',
      'https://cdn.registry.example.org/x',
      'https://cdn.registry.example.org/x',
      { accept: 'x' },
    ],
    [
      'to another path keeps them',
      '/other',
      'https://registry.example.org/other',
      { authorization: 'Bearer secret', accept: 'x' },
    ],
    [
      'with a user in it goes without the user',
      'https://u:p@cdn.example.org/x',
      'https://cdn.example.org/x',
      { accept: 'x' },
    ],
  ])('%s', async (_, location, url, headers) => {
    const { send, seen } = network({ [START]: location });
    expect((await send(request(START))).status).toBe(200);
    expect(seen[1]).toMatchObject({ headers });
    expect([seen[1]?.url.href, Object.keys(seen[1]?.headers ?? {}).length]).toEqual([url, Object.keys(headers).length]);
  });

  it('away and back does not bring the credentials back', async () => {
    const { send, seen } = network({
      [START]: 'https://evil.example/x',
      'https://evil.example/x': 'https://registry.example.org/y',
    });
    await send(request(START));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer secret', undefined, undefined]);
  });

  it.each([
    ['from https to http', START, 'http://cdn.example.org/x', 'registry.unsafe_address'],
    ['from https to http on this machine', START, 'http://127.0.0.1/x', 'registry.unsafe_address'],
    [
      'from loopback to http elsewhere',
      'http://127.0.0.1:5000/x',
      'http://169.254.169.254/latest',
      'registry.unsafe_address',
    ],
    ['to a file', START, 'file:///etc/passwd', 'registry.unsafe_address'],
    ['to no address', START, 'https://[', 'registry.location'],
    ['to itself', START, START, 'registry.redirects'],
  ])('%s is not followed', async (_, from, location, code) => {
    const { send, seen } = network({ [from]: location });
    const { name, code: thrown, message } = await thrownBy(() => send(request(from)));
    expect([name, thrown]).toEqual(['CouldNot', code]);
    expect(message).not.toContain('secret');
    expect(seen.every(({ url }) => url.href === from)).toBe(true);
  });

  it('from https by way of https to http is not followed either', async () => {
    const { send } = network({
      [START]: 'https://cdn.example.org/x',
      'https://cdn.example.org/x': 'http://localhost/x',
    });
    expect(await thrownBy(() => send(request(START)))).toMatchObject({ code: 'registry.unsafe_address' });
  });

  it.each(['PUT', 'POST'] as const)('of a %s is not followed', async (method) => {
    const { send, seen } = network({ [START]: '/other' });
    expect((await send(request(START, method))).status).toBe(307);
    expect(seen).toHaveLength(1);
  });
});
