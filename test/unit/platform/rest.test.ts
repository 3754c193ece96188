import { http } from '../../../src/lib/http.ts';
import * as z from '../../../src/lib/zod.ts';
import { createRest, type Rest } from '../../../src/platform/rest.ts';
import { type Reply, startServer, type TestServer } from '../../support/json-server.ts';

let server: TestServer;
let rest: Rest;
let answers: Reply[];
let waited: number[];
const numbers = {
  path: '/numbers',
  schema: z.array(z.int()),
  what: 'read the numbers',
  need: 'permission numbers: read',
};

beforeAll(async () => {
  server = await startServer(
    ({ query }) => answers[Number(query.get('page') ?? 1) - 1] ?? answers.shift() ?? { status: 404, json: {} },
  );
});
afterAll(() => server.close());
beforeEach(() => {
  waited = [];
  rest = createRest({
    http,
    base: `${server.url}/`,
    headers: { authorization: 'Bearer secret' },
    sleep: async (ms) => void waited.push(ms),
  });
});

const page = (length: number, headers: Record<string, string> = {}): Reply => ({
  json: Array.from({ length }, (_, i) => i),
  headers,
});

describe('an answer', () => {
  it.each([
    ['a page for people', { bytes: '<!doctype html><title>Sign in</title>' }, 'platform.reply', /not JSON/],
    ['nothing', { bytes: '' }, 'platform.reply', /is empty/],
    ['half of it', { bytes: '[1, 2' }, 'platform.reply', /not JSON/],
    ['two meanings in one object', { bytes: '[{"a": 1, "a": 2}]' }, 'platform.reply', /repeated/],
    ['an error in the place of a list', { json: { message: 'Not Found' } }, 'platform.reply', /expected shape/],
    ['null', { json: null }, 'platform.reply', /expected shape/],
    ['a list of something else', { json: ['1'] }, 'platform.reply', /expected shape/],
    ['not found', { status: 404, json: {} }, 'platform.refused', /permission numbers: read/],
    ['forbidden', { status: 403, json: {} }, 'platform.refused', /permission numbers: read/],
    ['unauthorised', { status: 401, json: {} }, 'platform.refused', /permission numbers: read/],
    ['too many requests', { status: 429, json: {} }, 'platform.rate_limited', /too many requests/],
    [
      'too many requests, as GitHub says it',
      { status: 403, headers: { 'x-ratelimit-remaining': '0' }, json: {} },
      'platform.rate_limited',
      /too many requests/,
    ],
    ['no content', { status: 204, bytes: '' }, 'platform.status', /answered 204/],
    ['a part of it (206)', { status: 206, json: [1] }, 'platform.status', /answered 206/],
    [
      'a way to somewhere else',
      { status: 301, headers: { location: 'http://127.0.0.1:1/' }, json: [] },
      'http.redirect',
      /redirect/,
    ],
  ])('that is %s is an error, not a value', async (_, answer, code, why) => {
    answers = [answer];
    const failure = rest.get(numbers);
    await expect(failure).rejects.toMatchObject({ code, exit: 3, message: expect.stringMatching(why) });
    await expect(failure).rejects.toMatchObject({ message: expect.stringContaining('could not read the numbers') });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
    expect(waited).toEqual([]);
  });
});

describe('a platform that is not there for the moment', () => {
  const flaky = (statuses: number[]) => {
    let asked = 0;
    return createRest({
      http: async () => ({ status: statuses[asked++] ?? 200, headers: {}, body: Buffer.from('[1]') }),
      base: 'https://api.example.org',
      headers: {},
      sleep: async (ms) => void waited.push(ms),
    });
  };

  it('is asked again', async () => {
    expect(await flaky([502, 503]).get(numbers)).toEqual([1]);
    expect(waited).toEqual([500, 2000]);
  });

  it('is given up after three times', async () => {
    await expect(flaky([502, 503, 500]).get(numbers)).rejects.toMatchObject({ code: 'platform.unavailable' });
    expect(waited).toHaveLength(2);
  });
});

describe('a list', () => {
  it.each([
    ['of one page', [page(3)], 3],
    ['of nothing', [page(0)], 0],
    ['of two pages', [page(100, { link: '<x>; rel="next"' }), page(1)], 101],
    ['whose first page is full and names no next', [page(100), page(5)], 105],
    [
      'whose pages are short and name the next (GitHub)',
      [page(2, { link: '<x>; rel="prev", <y>; rel="next"' }), page(2)],
      4,
    ],
    [
      'whose pages are short and name the next (GitLab)',
      [page(2, { 'x-next-page': '2' }), page(2, { 'x-next-page': '' })],
      4,
    ],
    ['whose second page is empty', [page(100), page(0)], 100],
  ])('%s is read to its end', async (_, pages, length) => {
    answers = pages;
    expect(await rest.list(numbers)).toHaveLength(length);
  });

  it('whose second page is missing is an error, not its first page', async () => {
    answers = [page(100), { status: 404, json: {} }];
    await expect(rest.list(numbers)).rejects.toMatchObject({ code: 'platform.refused' });
  });

  it('without an end is given up', async () => {
    answers = Array.from({ length: 11 }, () => page(100));
    await expect(rest.list(numbers)).rejects.toMatchObject({ code: 'platform.too_many' });
  });

  it('keeps the query of its path', async () => {
    answers = [page(0)];
    server.seen.length = 0;
    await rest.list({ ...numbers, path: '/numbers?sort=desc' });
    expect(server.seen[0]?.query.toString()).toBe('sort=desc&per_page=100&page=1');
  });
});

describe('a list whose pages are linked', () => {
  const linkTo = (url: string) => ({ link: `<${server.url}/first>; rel="first", <${url}>; rel="next"` });

  it('is read as the links say, to the page without one', async () => {
    answers = [page(2, linkTo(`${server.url}/numbers?page=2`)), page(1)];
    expect(await rest.linked(numbers)).toEqual([0, 1, 0]);
  });

  it('ends where a link leads to another place: the token does not go there', async () => {
    answers = [page(2, linkTo('http://127.0.0.1:1/numbers?page=2')), page(1)];
    expect(await rest.linked(numbers)).toEqual([0, 1]);
  });

  it('is read for ten pages at most', async () => {
    answers = Array.from({ length: 12 }, (_, i) => page(1, linkTo(`${server.url}/numbers?page=${i + 2}`)));
    expect(await rest.linked(numbers)).toHaveLength(10);
  });
});
