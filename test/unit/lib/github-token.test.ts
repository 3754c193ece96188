import { requestGithubToken } from '../../../src/lib/github-token.ts';
import { http } from '../../../src/lib/http.ts';
import { type Issuer, startIssuer } from '../../support/issuer.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(() => issuer.answers.clear());

it('the runner is asked with its password for the audience', async () => {
  issuer.runnerToken = async (audience) => `token for ${audience}`;
  expect(await requestGithubToken(issuer.runnerEnv, 'gatehouse', http)).toEqual({ token: 'token for gatehouse' });
});

it.each([['ACTIONS_ID_TOKEN_REQUEST_URL'], ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']])(
  'without %s there is no token, and the answer says which permission is missing',
  async (name) => {
    for (const value of [undefined, '']) {
      const asked = await requestGithubToken({ ...issuer.runnerEnv, [name]: value }, 'gatehouse', http);
      expect(asked).toEqual({ token: null, why: expect.stringContaining('id-token: write') });
    }
  },
);

it.each([
  ['an address that is none', { ACTIONS_ID_TOKEN_REQUEST_URL: 'nowhere' }, null],
  ['a wrong password', { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' }, null],
  ['a page for people', {}, { bytes: '<html>' }],
  ['an answer without a token', {}, { json: { value: '' } }],
  ['a refusal', {}, { status: 403, json: { value: 'token' } }],
])('%s gives no token', async (_, env, answer) => {
  if (answer !== null) issuer.answers.set('/runner', answer);
  const asked = await requestGithubToken({ ...issuer.runnerEnv, ...env }, 'gatehouse', http);
  expect(asked).toEqual({ token: null, why: expect.any(String) });
});

it('a runner that sends elsewhere is not followed', async () => {
  issuer.answers.set('/runner', { status: 302, headers: { location: 'https://example.org/' }, json: {} });
  await expect(requestGithubToken(issuer.runnerEnv, 'gatehouse', http)).rejects.toMatchObject({
    code: 'http.redirect',
  });
});
