import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsFrom, type Purpose } from '../../../../src/lib/aws/credentials.ts';
import type { Http, HttpRequest } from '../../../../src/lib/http.ts';

const purpose: Purpose = { of: 'store', sts: 'https://sts.eu-central-1.amazonaws.com' };
const never: Http = async () => {
  throw new Error('nothing is to be asked');
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-token-'));
  writeFileSync(join(folder, 'token'), 'header.payload.signature\n');
});
afterAll(() => rmSync(folder, { recursive: true }));
const web = () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/emit' });

it('keys in the environment are taken as they are, with or without a session', async () => {
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  expect(await credentialsFrom(keys, purpose, never)).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' });
  expect(await credentialsFrom({ ...keys, AWS_SESSION_TOKEN: 'session', ...web() }, purpose, never)).toEqual({
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    sessionToken: 'session',
  });
});

it('a web identity is exchanged at the token service of the URL, whatever the environment says of endpoints', async () => {
  const asked: HttpRequest[] = [];
  const http: Http = async (request) => {
    asked.push(request);
    const body = `<R><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey><SessionToken>t==</SessionToken><Expiration>2026-11-28T13:00:00Z</Expiration></Credentials></R>`;
    return { status: 200, headers: {}, body: Buffer.from(body) };
  };
  const env = { ...web(), AWS_ENDPOINT_URL_STS: 'https://evil.example.org', AWS_REGION: 'evil-1' };
  expect(await credentialsFrom(env, purpose, http)).toEqual({
    accessKeyId: 'ASIA1',
    secretAccessKey: 's/+=',
    sessionToken: 't==',
    expiration: new Date('2026-11-28T13:00:00Z'),
  });
  expect(asked.map(({ url }) => url)).toEqual(['https://sts.eu-central-1.amazonaws.com/']);
  const form = new URLSearchParams(Buffer.from(asked[0]?.body ?? []).toString());
  expect(Object.fromEntries(form)).toMatchObject({
    Action: 'AssumeRoleWithWebIdentity',
    RoleArn: 'arn:aws:iam::1:role/emit',
    RoleSessionName: 'gatehouse',
    WebIdentityToken: 'header.payload.signature',
  });
});

it('on GitHub the token is the runner’s, for the audience of the token service', async () => {
  const asked: HttpRequest[] = [];
  const http: Http = async (request) => {
    asked.push(request);
    const body = request.url.startsWith('https://runner.example.org')
      ? '{"value":"github.token.signature"}'
      : '<R><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-28T13:00:00Z</Expiration></R>';
    return { status: 200, headers: {}, body: Buffer.from(body) };
  };
  const env = {
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/emit',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://runner.example.org/token?api-version=2.0',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-password',
  };
  expect(await credentialsFrom(env, purpose, http)).toMatchObject({ accessKeyId: 'ASIA1' });
  expect(asked.map(({ url }) => url)).toEqual([
    'https://runner.example.org/token?api-version=2.0&audience=sts.amazonaws.com',
    'https://sts.eu-central-1.amazonaws.com/',
  ]);
  const form = new URLSearchParams(Buffer.from(asked[1]?.body ?? []).toString());
  expect(form.get('WebIdentityToken')).toBe('github.token.signature');
});

it('on GitLab the token is that of the job for AWS, and never the one that says to us who the job is', async () => {
  const asked: HttpRequest[] = [];
  const http: Http = async (request) => {
    asked.push(request);
    const body =
      '<R><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-28T13:00:00Z</Expiration></R>';
    return { status: 200, headers: {}, body: Buffer.from(body) };
  };
  const env = { AWS_ROLE_ARN: 'arn:aws:iam::1:role/emit', GATEHOUSE_ID_TOKEN: 'who.we.are' };
  await credentialsFrom({ ...env, GATEHOUSE_AWS_TOKEN: 'for.aws.alone' }, purpose, http);
  const sent = asked.map(({ body }) => Buffer.from(body ?? []).toString());
  expect(sent).toEqual([expect.stringContaining('WebIdentityToken=for.aws.alone')]);
  expect(sent[0]).not.toContain('who.we.are');
  await expect(credentialsFrom(env, purpose, never)).rejects.toMatchObject({ code: 'store.credentials', exit: 2 });
});

it.each<[string, () => Record<string, string>, string]>([
  ['nothing', () => ({}), 'none are set'],
  ['empty variables', () => ({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }), 'none are set'],
  ['half a pair of keys', () => ({ AWS_ACCESS_KEY_ID: 'id', ...web() }), 'only AWS_ACCESS_KEY_ID'],
  ['a role without a token', () => ({ AWS_ROLE_ARN: 'arn', GITHUB_ACTIONS: 'true' }), 'id-token: write'],
  ['a role outside a job', () => ({ AWS_ROLE_ARN: 'arn' }), 'no runner of GitHub'],
  ['a token without a role', () => ({ AWS_WEB_IDENTITY_TOKEN_FILE: '/x' }), 'only AWS_WEB_IDENTITY_TOKEN_FILE'],
  ['a token file that is not there', () => ({ ...web(), AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent' }), '/nonexistent'],
  [
    'a profile',
    () => ({ AWS_PROFILE: 'admin', AWS_CONFIG_FILE: '/x', AWS_SHARED_CREDENTIALS_FILE: '/y' }),
    'none are set',
  ],
  ['a metadata service', () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/x' }), 'none are set'],
])('%s is bad input', async (_, env, why) => {
  await expect(credentialsFrom(env(), purpose, never)).rejects.toMatchObject({
    code: 'store.credentials',
    exit: 2,
    message: expect.stringContaining(why),
  });
});

it('a token is not sent anywhere when the URL names a server and no token service', async () => {
  await expect(credentialsFrom(web(), { of: 'store', sts: null }, never)).rejects.toMatchObject({
    exit: 2,
    message: expect.stringContaining('sts='),
  });
});

it.each([
  [
    'a refusal',
    403,
    '<E><Code>AccessDenied</Code><Message>header.payload.signature</Message></E>',
    /AccessDenied.*trusts/,
  ],
  ['an old token', 400, '<E><Code>ExpiredTokenException</Code></E>', /too old/],
  ['something else', 500, 'header.payload.signature', /HTTP 500/],
  ['an answer without credentials', 200, '<R/>', /without credentials/],
])('%s of the token service is said without the token', async (_, status, text, expected) => {
  const http: Http = async () => ({ status, headers: {}, body: Buffer.from(text) });
  const thrown = await credentialsFrom(web(), purpose, http).catch((cause) => cause);
  expect(thrown).toMatchObject({ code: 'store.credentials', exit: 3 });
  expect(thrown.message).toMatch(expected);
  expect(thrown.message).not.toContain('signature');
});
