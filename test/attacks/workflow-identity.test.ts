import { REPOSITORY } from '../../src/commands/demo/site.ts';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW } from '../support/claims.ts';
import { LAYOUT } from '../support/direct.ts';
import { OLDER, PEOPLE } from '../support/fake-github.ts';
import type { Claims, Issuer } from '../support/issuer.ts';
import { startIssuer } from '../support/issuer.ts';
import { startServer, type TestServer } from '../support/json-server.ts';
import { sandboxes } from '../support/sandbox.ts';
import {
  approve,
  DIGEST,
  deployWords,
  gateWords,
  layWorkflowScene,
  openWords,
  type Said,
  scanWords,
  sealWords,
  signWords,
  type WorkflowScene,
} from './workflow-scene.ts';

/* A pipeline of a service team, a fork, a stolen token: no process of a trusted verb may take them for the trusted job. */

const sandbox = sandboxes();
let scene: WorkflowScene;
let stranger: Issuer;
let elsewhere: TestServer;
let decision: string;
let honest: WorkflowScene['github']['world'];
beforeAll(async () => {
  [scene, stranger, elsewhere] = await Promise.all([
    layWorkflowScene(sandbox, 'approved'),
    startIssuer(),
    startServer(() => ({ json: { value: 'x' } })),
  ]);
  decision = await scene.allowed('deploy');
  honest = { ...scene.github.world };
});
beforeEach(() => {
  Object.assign(scene.github.world, honest);
  scene.github.world.instead.clear();
});
afterAll(async () => {
  await Promise.all([scene.close(), stranger.close(), elsewhere.close()]);
  sandbox.clean();
});

/** Each verb that holds a key, the role that it belongs to, and the honest words. */
const VERBS: [verb: string, role: string, words: () => string[]][] = [
  ['deploy-by-digest', 'deploy', () => deployWords(scene, decision)],
  ['build-sign', 'build', () => signWords(LAYOUT, DIGEST, `${scene.registry.host}/${REPOSITORY}`)],
  ['scan', 'scan', () => scanWords(scene.image)],
  ['policy-gate', 'gate', () => gateWords('promote', scene.image)],
  ['run.opened', 'gate', openWords],
  ['run.sealed', 'gate', sealWords],
];
const wordsOf = (verb: string) => (VERBS.find(([name]) => name === verb) as (typeof VERBS)[number])[2]();

/** The verb is refused, and nothing of the world is different. */
async function refused(work: () => Promise<Said>, exit: number, says: string | string[], why: RegExp): Promise<void> {
  const before = scene.state();
  const said = await work();
  expect({ exit: said.exit, says: said.says }).toEqual({ exit, says });
  expect(said.log).toMatch(why);
  expect(said.log).not.toMatch(/runner-password|github-token|PRIVATE KEY/);
  expect(scene.state()).toEqual(before);
}
const UNTRUSTED = (verb: string) => (verb === 'policy-gate' ? ['workflow_untrusted'] : 'workflow_untrusted');

describe('F36 no verb works under the environment of another role', () => {
  const ROLES = ['gate', 'build', 'scan', 'deploy'];
  const rows = VERBS.flatMap(([verb, own]) =>
    ROLES.filter((role) => role !== own).map((role) => [verb, `gatehouse-${role}`] as const),
  );
  const odd = [
    ['deploy-by-digest', 'production'],
    ['deploy-by-digest', 'gatehouse-Deploy'],
    ['deploy-by-digest', 'gatehouse/deploy'],
    ['deploy-by-digest', 'gatehouse-deploy '],
    ['build-sign', 'gatehouse-build,gatehouse-gate'],
    ['build-sign', 'gatehouse-build-2'],
  ] as const;

  it.each([...rows, ...odd])('%s under %s', async (verb, environment) => {
    await refused(
      () => scene.verb({ claims: { environment } }, ...wordsOf(verb)),
      1,
      UNTRUSTED(verb),
      /the job runs under environment .*, role [a-z]+ belongs to environment gatehouse-/,
    );
  });
});

describe('F19 F81 a token that is not of the trusted workflow opens nothing', () => {
  const ago = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;
  const rows: [string, () => Claims, RegExp][] = [
    [
      'the caller’s own file of the same name',
      () => ({ job_workflow_ref: 'care/lab-results/.github/workflows/promote.yml@refs/heads/main' }),
      /only .* is trusted/,
    ],
    [
      'the same file in a fork of the compliance repository',
      () => ({ job_workflow_ref: GITHUB_WORKFLOW.replace('example-health/', 'care/') }),
      /only .* is trusted/,
    ],
    [
      'the same file in a neighbour whose name goes on',
      () => ({ job_workflow_ref: GITHUB_WORKFLOW.replace('compliance-workflows', 'compliance-workflows-2') }),
      /only .* is trusted/,
    ],
    [
      'a branch that is named like the tag',
      () => ({ job_workflow_ref: GITHUB_WORKFLOW.replace('refs/tags/', 'refs/heads/') }),
      /only .* is trusted/,
    ],
    [
      'the commit of the tag in place of the tag',
      () => ({ job_workflow_ref: GITHUB_WORKFLOW.replace('refs/tags/v1.0.0', 'c'.repeat(40)) }),
      /only .* is trusted/,
    ],
    ['a tag that begins like ours', () => ({ job_workflow_ref: `${GITHUB_WORKFLOW}-rc.1` }), /only .* is trusted/],
    [
      'a path that leads to ours by a detour',
      () => ({ job_workflow_ref: GITHUB_WORKFLOW.replace('/workflows/', '/workflows/x/../') }),
      /only .* is trusted/,
    ],
    [
      'ours and another one in a list',
      () => ({ job_workflow_ref: [GITHUB_WORKFLOW, 'evil/x/.github/workflows/x.yml@refs/heads/x'] }),
      /lacks a claim/,
    ],
    ['ours and a line feed', () => ({ job_workflow_ref: `${GITHUB_WORKFLOW}\n` }), /lacks a claim/],
    [
      'another reusable workflow that ours is only the caller of',
      () => ({
        workflow_ref: GITHUB_WORKFLOW,
        job_workflow_ref: 'example-health/other/.github/workflows/wrap.yml@refs/tags/v1.0.0',
      }),
      /only .* is trusted/,
    ],
    ['a token for a cloud', () => ({ aud: 'sts.amazonaws.com' }), /its audience is another/],
    ['a token for us and a cloud', () => ({ aud: ['gatehouse', 'sts.amazonaws.com'] }), /not gatehouse alone/],
    ['a token for us in a list', () => ({ aud: ['gatehouse'] }), /not gatehouse alone/],
    ['a token of yesterday', () => ({ iat: ago(90_000), nbf: ago(90_000), exp: ago(86_400) }), /it has expired/],
    ['an unprotected branch', () => ({ ref: 'refs/heads/topic', ref_protected: 'false' }), /not protected/],
    ['a ref of which nobody says whether it is protected', () => ({ ref_protected: undefined }), /ref_protected/],
    ['a pull request', () => ({ event_name: 'pull_request' }), /not merged yet/],
    ['a pull request with the rights of its target', () => ({ event_name: 'pull_request_target' }), /not merged yet/],
    ['a comment in a review', () => ({ event_name: 'pull_request_review_comment' }), /not merged yet/],
    ['a runner of a kind that there is not', () => ({ runner_environment: 'anything' }), /runner_environment/],
    ['a commit that is abbreviated', () => ({ sha: 'aaaaaaa' }), /sha/],
    ['an attempt that is a fraction', () => ({ run_attempt: '1.0' }), /run_attempt/],
  ];

  it.each(rows)('at deploy: %s', async (_, claims, why) => {
    await refused(
      () => scene.verb({ role: 'deploy', claims: claims() }, ...wordsOf('deploy-by-digest')),
      1,
      'workflow_untrusted',
      why,
    );
  });

  it.each(rows)('at signing: %s', async (_, claims, why) => {
    await refused(
      () => scene.verb({ role: 'build', claims: claims() }, ...wordsOf('build-sign')),
      1,
      'workflow_untrusted',
      why,
    );
  });
});

describe('F71 a genuine token is no good for another run, attempt or job', () => {
  const job = (id: number, changes: object) => () => {
    scene.github.world.jobs = scene.github.world.jobs.map((each) => (each.id === id ? { ...each, ...changes } : each));
  };
  const runIs = (changes: object) => () => {
    scene.github.world.run = { ...scene.github.world.run, ...changes };
  };
  const answers = (path: string, reply: object) => () => void scene.github.world.instead.set(path, reply);
  const RUN = '/repos/care/lab-results/actions/runs/9001/attempts/1';

  it.each<[string, () => unknown, Claims, number, string, RegExp]>([
    [
      'a token that was kept from an earlier attempt',
      job(5003, { status: 'completed', conclusion: 'failure', completed_at: '2026-01-31T08:09:00Z' }),
      {},
      1,
      'platform.mismatch',
      /job 5003 has ended/,
    ],
    [
      'the token of another job of this run, which ended',
      () => {},
      { check_run_id: '5001' },
      1,
      'platform.mismatch',
      /has ended/,
    ],
    ['a job of another run', job(5003, { run_id: 9999 }), {}, 1, 'platform.mismatch', /run of the job/],
    ['a job of a later attempt', job(5003, { run_attempt: 2 }), {}, 1, 'platform.mismatch', /attempt of the job/],
    ['a job that the platform does not know', () => {}, { check_run_id: '6666' }, 3, 'platform.refused', /job 6666/],
    ['an attempt that there was not', () => {}, { run_attempt: '2' }, 3, 'platform.refused', /attempt 2/],
    ['a run of another commit', runIs({ head_sha: OLDER }), {}, 1, 'platform.mismatch', /commit/],
    [
      'a push that the platform calls a pull request',
      runIs({ event: 'pull_request' }),
      {},
      1,
      'platform.mismatch',
      /event/,
    ],
    ['another repository under the name', () => {}, { repository_id: '7999' }, 1, 'platform.mismatch', /has id/],
    [
      'an API that sends to another one',
      answers(RUN, { status: 302, headers: { location: 'http://127.0.0.1:1/' }, json: {} }),
      {},
      3,
      'http.redirect',
      /never followed/,
    ],
    ['an API that answers with a page', answers(RUN, { bytes: '<html>' }), {}, 3, 'platform.reply', /read run 9001/],
    ['an API that answers with nothing', answers(RUN, { json: {} }), {}, 3, 'platform.reply', /read run 9001/],
  ])('%s', async (_, attack, claims, exit, code, why) => {
    attack();
    await refused(() => scene.verb({ role: 'deploy', claims }, ...wordsOf('deploy-by-digest')), exit, code, why);
  });
});

describe('F42 whoever answers for the runner', () => {
  const ask = (url: string, more: Record<string, string> = {}) => ({
    role: 'build',
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: url, ...more },
  });
  const untrusted = ['workflow_untrusted', 1] as const;

  it.each<[string, () => Promise<Parameters<WorkflowScene['verb']>[0]>, string, number, RegExp]>([
    [
      'with an issuer of its own',
      async () => {
        stranger.runnerToken = () => stranger.sign({ ...GITHUB_CLAIMS, environment: 'gatehouse-build' });
        return ask(String(stranger.runnerEnv.ACTIONS_ID_TOKEN_REQUEST_URL));
      },
      ...untrusted,
      /no github issuer of contract.yml/,
    ],
    [
      'with a key of its own in the name of the contract’s issuer',
      async () => {
        stranger.runnerToken = () =>
          stranger.sign({ ...GITHUB_CLAIMS, environment: 'gatehouse-build', iss: scene.hosted.issuer.url });
        return ask(String(stranger.runnerEnv.ACTIONS_ID_TOKEN_REQUEST_URL));
      },
      ...untrusted,
      /not by the issuer's key/,
    ],
    ['over plain http', async () => ask('http://runner.example.org/token'), 'http.url', 3, /is not https/],
    ['from a file', async () => ask('file:///etc/passwd'), 'http.url', 3, /is not https/],
    [
      'with a password in its address',
      async () => ask('https://a:b@runner.example.org/'),
      'http.url',
      3,
      /carries a password/,
    ],
    ['with no token', async () => ask(elsewhere.url), ...untrusted, /no github issuer/],
    ['not at all', async () => ask('', { GITHUB_ACTIONS: 'true' }), ...untrusted, /id-token: write/],
    [
      'as GitLab: a token of GitHub in the variable of GitLab',
      async () => ({
        role: 'build',
        env: {
          GATEHOUSE_ID_TOKEN: await scene.hosted.issuer.sign({ ...GITHUB_CLAIMS, environment: 'gatehouse-build' }),
        },
      }),
      ...untrusted,
      /no gitlab issuer of contract.yml/,
    ],
  ])('%s', async (_, where, code, exit, why) => {
    const given = await where();
    await refused(() => scene.verb(given, ...wordsOf('build-sign')), exit, code, why);
  });
});

describe('F81 the gate denies what started by another event than the contract’s', () => {
  const EVENTS = [
    'merge_group',
    'workflow_run',
    'schedule',
    'workflow_dispatch',
    'repository_dispatch',
    'issue_comment',
  ];
  it.each(EVENTS)('%s', async (event) => {
    scene.github.world.run = { ...scene.github.world.run, event };
    const said = await scene.verb(
      { role: 'gate', claims: { event_name: event } },
      ...gateWords('promote', scene.image),
    );
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: expect.arrayContaining(['source.event']) });
  });
});

describe('F07 a colluding approver', () => {
  it.each([
    ['who wrote the change', PEOPLE.dev],
    ['who merged it and so started the run', PEOPLE.merger],
    ['who is in no group of approvers', PEOPLE.reviewer],
    ['whom the register does not know', 4711],
  ])('%s', async (_, person) => {
    scene.github.world.approvals = [];
    approve(scene.github, person);
    const said = await scene.verb({ role: 'gate' }, ...gateWords('deploy', scene.image));
    expect(said.exit).toBe(1);
    expect(said.says).toEqual(expect.arrayContaining([expect.stringMatching(/^approval\./)]));
  });
});

/* The same words with the right token. Last, since the run is sealed afterwards. */
describe('the honest job', () => {
  it.each(VERBS)('%s under role %s does its work', async (_, role, words) => {
    const before = scene.state();
    const said = await scene.verb({ role }, ...words());
    expect({ exit: said.exit, log: said.exit === 0 ? '' : said.log }).toEqual({ exit: 0, log: '' });
    expect(scene.state()).not.toEqual(before);
  });
});
