import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, type Refused } from '../support/bad-input.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const flags = (site: Site, changes: { [name: string]: string | null } = {}) => {
  const all = {
    decision: scene.decisions.deploy,
    image: scene.image,
    environment: 'production',
    target: 'demo/lab-results/Deployment/lab-results',
    manifest: site.path('gitops', 'kustomization.yaml'),
    run: site.path('run.json'),
    ...changes,
  };
  return [
    'deploy-by-digest',
    ...Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value])),
    ...keyFlag(site, 'deploy'),
  ];
};
const given = (changes: { [name: string]: string | null }) => (site: Site) => flags(site, changes);
const once =
  (act: (site: Site) => void, changes: { [name: string]: string | null } = {}) =>
  (site: Site) => {
    act(site);
    return flags(site, changes);
  };

/** Refusals that are judged are in test/attacks/deploy.test.ts: those are recorded. These are not even attempts. */
describe('deploy-by-digest refuses', () => {
  it.each<Refused>([
    ...['decision', 'image', 'environment', 'target', 'manifest'].map(
      (name): Refused => [
        `no ${name}`,
        given({ [name]: null }),
        2,
        'inputs.invalid',
        new RegExp(`${name}: is required`),
      ],
    ),
    ...['decision', 'image', 'manifest'].map(
      (name): Refused => [
        `an empty ${name}: a variable that was never set`,
        given({ [name]: '' }),
        2,
        'inputs.invalid',
        new RegExp(`${name}: is required`),
      ],
    ),
    ['no run', given({ run: null }), 2, 'inputs.run', /a local run needs its file/],
    [
      'F73 an image without its digest',
      given({ image: '127.0.0.1:5000/care/lab-results@' }),
      2,
      'reference.digest',
      /has nothing after "@"/,
    ],
    ['a tag', given({ image: '127.0.0.1:5000/care/lab-results:1.0.0' }), 2, 'reference.tag', /is a tag/],
    [
      'a target with a word too few',
      given({ target: 'lab-results/Deployment/lab-results' }),
      2,
      'inputs.target',
      /is not cluster\/namespace\/kind\/name/,
    ],
    [
      'a manifest that is not there',
      given({ manifest: '/nonexistent/kustomization.yaml' }),
      2,
      'file.unreadable',
      /cannot read manifest .*no such file/,
    ],
    [
      'a manifest in no repository',
      (site) => {
        const file = join(sandbox.folder('loose'), 'kustomization.yaml');
        writeFileSync(file, 'kind: Kustomization\n');
        return flags(site, { manifest: file });
      },
      2,
      'gitops.repository',
      /is not in the work tree of a git repository/,
    ],
    [
      'a manifest that is changed and not committed',
      once((site) =>
        writeFileSync(
          site.path('gitops', 'kustomization.yaml'),
          `${readFileSync(site.path('gitops', 'kustomization.yaml'), 'utf8')}# x
`,
        ),
      ),
      2,
      'gitops.uncommitted',
      /is not as it is committed/,
    ],
    [
      'a repository without a branch',
      once((site) => void run('git', ['-C', site.path('gitops'), 'checkout', '-q', '--detach'])),
      2,
      'gitops.detached',
      /is on no branch/,
    ],
    ['another method', given({ method: 'helm' }), 2, 'inputs.invalid', /method: .*"gitops"\|"kubernetes"/],
    [
      'a timeout without a unit',
      given({ method: 'kubernetes', 'rollout-timeout': '300' }),
      2,
      'inputs.invalid',
      /rollout-timeout: expected a duration such as/,
    ],
    [
      'a token for a commit',
      given({ 'token-file': '/nonexistent' }),
      2,
      'inputs.token_file',
      /token-file is for method kubernetes/,
    ],
    [
      'a cluster that the contract does not describe',
      given({ method: 'kubernetes', 'token-file': '/nonexistent' }),
      2,
      'kubernetes.cluster',
      /describes no cluster demo: nothing says which server that is; it has none/,
    ],
    ['a decision out of the store', given({ decision: '../../etc/passwd' }), 2, 'store.key', /is not a store key/],
    [
      'without a register',
      once((site) => rmSync(site.path('store', 'v1', 'register'), { recursive: true })),
      1,
      'register.none',
      /the store has no register/,
    ],
    [
      'without a store',
      once((site) => rmSync(site.path('store'), { recursive: true })),
      3,
      'store.missing',
      /does not exist/,
    ],
  ])('%s', async (...row) => {
    const site = scene.at('decided');
    const head = () => run('git', ['-C', site.path('gitops'), 'rev-parse', 'HEAD']).stdout;
    const before = head();
    await expectRefused(scene, site, row);
    expect(head()).toBe(before);
  });
});
