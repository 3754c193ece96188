import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterToken, type TokenSources } from '../../../../src/deploy/kubernetes/token.ts';
import type { Http } from '../../../../src/lib/http.ts';
import { sandboxes } from '../../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const SECRET = 'sa-token.0123456789_abc-DEF~';
const asked: string[] = [];
const runner: Http = async ({ url }) => {
  asked.push(url);
  return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ value: 'id-token' })) };
};
const GITHUB = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner.example.org/?a=1', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'p' };
const file = (text: string) => {
  const path = join(sandbox.folder('token'), 'token');
  writeFileSync(path, text);
  return path;
};
const token = (sources: Partial<TokenSources>) =>
  clusterToken('prod', { file: undefined, env: {}, audience: undefined, http: runner, ...sources });
beforeEach(() => void asked.splice(0));

describe('the token of a cluster', () => {
  it.each<[what: string, sources: () => Partial<TokenSources>, value: string, requests: string[]]>([
    ['is what the file holds', () => ({ file: file(SECRET) }), SECRET, []],
    ['may have a line end behind it', () => ({ file: file(`${SECRET}\r\n`) }), SECRET, []],
    ['is out of the variable without a file', () => ({ env: { GATEHOUSE_CLUSTER_TOKEN: SECRET } }), SECRET, []],
    [
      'is out of the file rather than out of the variable',
      () => ({ file: file(SECRET), env: { GATEHOUSE_CLUSTER_TOKEN: 'other' } }),
      SECRET,
      [],
    ],
    [
      'is the ID token of the job for the contract’s audience',
      () => ({ env: GITHUB, audience: 'https://api.prod' }),
      'id-token',
      ['https://runner.example.org/?a=1&audience=https%3A%2F%2Fapi.prod'],
    ],
  ])('%s', async (_, sources, value, requests) => {
    expect(await token(sources())).toBe(value);
    expect(asked).toEqual(requests);
  });

  it.each<[what: string, sources: () => Partial<TokenSources>, message: RegExp]>([
    ['nowhere', () => ({}), /give --token-file or GATEHOUSE_CLUSTER_TOKEN/],
    ['nowhere, though GitHub would give one for another audience', () => ({ env: GITHUB }), /clusters\.prod\.audience/],
    ['not for this job', () => ({ env: { GITHUB_ACTIONS: 'true' }, audience: 'a' }), /may not ask for an ID token/],
    ['in no job', () => ({ audience: 'a' }), /no runner of GitHub/],
    ['an empty file', () => ({ file: file(' \n') }), /it is empty/],
    ['two lines', () => ({ file: file(`${SECRET}\n${SECRET}`) }), /several lines/],
    ['a header within', () => ({ env: { GATEHOUSE_CLUSTER_TOKEN: `${SECRET}\r\nx: y` } }), /several lines/],
    ['a blank within', () => ({ file: file(`Bearer ${SECRET}`) }), /give the token alone/],
  ])('%s is refused, without showing it', async (_, sources, message) => {
    const refusal = await token(sources()).catch((thrown: Error) => thrown);
    expect(refusal).toMatchObject({ code: 'kubernetes.token', exit: 2, message: expect.stringMatching(message) });
    expect((refusal as Error).message).not.toContain(SECRET);
  });
});
