import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copySite, type Site } from '../../src/commands/demo/site.ts';
import type { Record } from '../../src/contract/record.ts';
import { direct, editContract, signerOfRole, steps, succeed, verdictOf } from '../support/direct.ts';
import {
  drop,
  editPlatform,
  editRegister,
  forge,
  hours,
  installProgram,
  keysIn,
  playRun,
  put,
  recordAt,
  recordOf,
  type Scene,
  storePath,
} from '../support/gate-scene.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('deploy'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const DIGEST = /digest: (sha256:[0-9a-f]{64})/;
const manifestOf = (site: Site) => readFileSync(site.path('gitops', 'kustomization.yaml'), 'utf8');
const headOf = (site: Site) => run('git', ['-C', site.path('gitops'), 'rev-parse', 'HEAD']).stdout.trim();
const asked = (changes: object = {}) => ({ decision: scene.decisions.deploy, image: scene.image, ...changes });
/** The stored decision, in a record of its own with some of it changed, signed by the gate unless told otherwise. */
async function decide(site: Site, data: object, role = 'gate', more: Partial<Record> = {}): Promise<string> {
  const record = recordAt(site, scene.decisions.deploy);
  return (await forge(site, record, { data: { ...record.data, ...data }, ...more }, signerOfRole(site, role), 'gate'))
    .key;
}

it('the deploy that was decided on is one commit, an intent and an outcome', async () => {
  const site = scene.at('decided');
  const said = await steps.deploy(site, asked());
  expect(said).toMatchObject({ code: 0, json: { status: 'deployed', commit: headOf(site) } });
  expect(DIGEST.exec(manifestOf(site))?.[1]).toBe(scene.digest);
  const outcome = recordOf(site, 'deploy.outcome').record;
  expect(outcome).toMatchObject({
    outcome: 'success',
    data: {
      decisionKey: scene.decisions.deploy,
      observedDigest: said.json.manifestDigest,
      // The record says by itself who let it through.
      approvals: [
        {
          personId: 'lead-1',
          state: 'approved',
          strength: 'job',
          at: expect.stringMatching(/^20.*Z$/),
          from: approvedIn(site),
        },
      ],
      repository: null,
      branch: 'main',
      commit: headOf(site),
    },
  });
  expect(recordOf(site, 'deploy.intent').record.opId).toBe(outcome.opId);
});

function approvedIn(site: Site): string {
  return keysIn(site).find((key) => key.startsWith('v1/records/') && key.includes('-approval.decided-')) as string;
}

/** What the attacker does, and what the deploy is asked to do; refused by this rule, for this reason. */
type Row = [
  what: string,
  act: (site: Site) => unknown,
  changes: { [flag: string]: string } | ((site: Site, made: unknown) => object),
  rule: string,
  reason: RegExp,
];
const nothing = () => {};

describe('a deploy is refused, recorded, and changes nothing', () => {
  const rows: Row[] = [
    [
      'F80 a digest that nobody decided on',
      nothing,
      () => ({ image: `${scene.image.slice(0, -64)}${'1'.repeat(64)}` }),
      'deploy.decision',
      /it is about /,
    ],
    [
      'F93 the digest in another registry',
      nothing,
      () => ({ image: `evil.example.org/lab-results@${scene.digest}` }),
      'deploy.decision',
      /it is about /,
    ],
    ['F21 another environment', nothing, { environment: 'staging' }, 'deploy.decision', /for environment production/],
    ['another target', nothing, { target: 'demo/lab-results/Deployment/other' }, 'deploy.decision', /another target/],
    [
      'another cluster',
      nothing,
      { target: 'prod/lab-results/Deployment/lab-results' },
      'deploy.decision',
      /another target/,
    ],
    [
      'the decision of stage promote',
      nothing,
      () => ({ decision: scene.decisions.promote }),
      'deploy.decision',
      /of stage promote/,
    ],
    [
      'a record that is no decision',
      nothing,
      (site) => ({ decision: recordOf(site, 'artifact.signed').key }),
      'deploy.decision',
      /record artifact\.signed/,
    ],
    [
      'a key where no record is',
      nothing,
      () => ({ decision: scene.decisions.deploy.replace(/[0-9a-f]{32}\.json$/, `${'0'.repeat(32)}.json`) }),
      'deploy.decision',
      /is not in the store/,
    ],
    [
      'a denial',
      async (site) => {
        editPlatform(site, (platform) => void platform.approvals.splice(0));
        return (await steps.gate(site, 'deploy', scene.image)).json.key;
      },
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /it denies/,
    ],
    [
      'F12 a denial in a record of success',
      (site) => decide(site, { outcome: 'deny' }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /it denies/,
    ],
    [
      'F12 an allow in a record of denial',
      (site) => decide(site, {}, 'gate', { outcome: 'denied' }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /it denies/,
    ],
    [
      'F06 a simulated decision',
      (site) => decide(site, { simulated: true }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /simulated/,
    ],
    [
      'F36 a decision that the build key signed',
      (site) => decide(site, {}, 'build'),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /key demo-build of role build signed gate\.decided/,
    ],
    [
      'F36 a decision that the deploy key signed',
      (site) => decide(site, {}, 'deploy'),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /role deploy signed gate\.decided/,
    ],
    [
      'F56 the decision of another run',
      async (site) => {
        editPlatform(
          site,
          (platform) => void platform.runs.push({ ...(platform.runs[0] as (typeof platform.runs)[0]), id: '5002' }),
        );
        rmSync(site.path('run.json'));
        await succeed(steps.open(site));
      },
      {},
      'deploy.decision',
      /another run or attempt/,
    ],
    [
      'F56 the decision of another attempt',
      async (site) => {
        editPlatform(
          site,
          (platform) => void platform.runs.push({ ...(platform.runs[0] as (typeof platform.runs)[0]), attempt: 2 }),
        );
        rmSync(site.path('run.json'));
        await succeed(steps.open(site));
      },
      {},
      'deploy.decision',
      /another run or attempt/,
    ],
    [
      'a decision of another commit, by what the platform says now',
      (site) =>
        editPlatform(site, (platform) => {
          const sha = 'e'.repeat(40);
          platform.commits.push({ ...(platform.commits[0] as (typeof platform.commits)[0]), sha });
          Object.assign(platform.runs[0] as object, { sha });
        }),
      {},
      'deploy.decision',
      /another run or attempt/,
    ],
    [
      'F55 a decision whose record was edited',
      (site) => {
        const key = scene.decisions.deploy;
        put(
          site,
          key,
          readFileSync(storePath(site, key), 'utf8').replace(
            /"payload":"(.)/,
            (_, c) => `"payload":"${c === 'A' ? 'B' : 'A'}`,
          ),
        );
      },
      {},
      'deploy.decision',
      /does not have the bytes that its name says/,
    ],
    [
      'F56 a decision that was moved',
      (site) => {
        const moved = scene.decisions.deploy.replace('run=5001', 'run=5000');
        put(site, moved, readFileSync(storePath(site, scene.decisions.deploy)));
        return moved;
      },
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /does not belong at this key/,
    ],
    [
      'a decision that ended',
      (site) => decide(site, { now: hours(-2), notAfter: hours(-1) }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /it ended at/,
    ],
    [
      'a decision from the future',
      (site) => decide(site, { now: hours(1), notAfter: hours(2) }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /from the future/,
    ],
    [
      'F41 the gate key was revoked before it decided',
      (site) =>
        editRegister(site, ({ keys }) => ({
          keys: keys.map((key) => (key.id === 'demo-gate' ? { ...key, revokedAt: key.from } : key)),
        })),
      {},
      'deploy.decision',
      /not in force/,
    ],
    [
      'the image was revoked since',
      (site) =>
        editRegister(site, () => ({ revokedDigests: [{ digest: scene.digest, reason: 'malware', since: hours(-1) }] })),
      {},
      'deploy.decision',
      /is revoked/,
    ],
    [
      'the release was withdrawn since',
      (site) =>
        editRegister(site, ({ releases }) => ({
          releases: releases.map((each) => ({ ...each, notAfter: hours(-1) })),
        })),
      {},
      'deploy.decision',
      /lists no release with the program/,
    ],
    [
      'the contract was edited since',
      (site) =>
        editContract(site, (contract) => Object.assign(contract.environments.production, { reviews: 0 }), false),
      {},
      'deploy.decision',
      /lists no release with the program/,
    ],
    [
      'F42 it was judged by a policy that no release has',
      (site) =>
        decide(site, {
          input: {
            ...(recordAt(site, scene.decisions.deploy).data.input as object),
            policyDigest: `sha256:${'1'.repeat(64)}`,
          },
        }),
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /by which the decision was made/,
    ],
    [
      'the register by which it was judged is hidden',
      async (site) => {
        await editRegister(site, () => ({}));
        const { json } = await steps.gate(site, 'deploy', scene.image);
        drop(site, 'v1/register/0000000002.json');
        return json.key;
      },
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /somebody hides the newer one/,
    ],
    [
      'the facts by which it was made are gone',
      (site) => drop(site, factsOf(site)),
      {},
      'deploy.decision',
      /which say who approved, cannot be read/,
    ],
    [
      'the facts of a decision in a record of its own are others',
      async (site) => {
        const { attachments } = recordAt(site, scene.decisions.promote);
        return await decide(site, {}, 'gate', { attachments });
      },
      (_, key) => ({ decision: key }),
      'deploy.decision',
      /which say who approved, are not attached to it/,
    ],
    [
      'somebody used it up first',
      (site) => put(site, `v1/once/${recordAt(site, scene.decisions.deploy).data.id}.json`, '{}'),
      {},
      'deploy.once',
      /used before, by something unreadable/,
    ],
    [
      'F73 a manifest with a tag',
      (site) => commitManifest(site, manifestOf(site).replace(/digest: .*/, 'newTag: latest')),
      {},
      'deploy.digest',
      /may mean another image a moment later/,
    ],
    [
      'F95 a manifest with another image',
      (site) => commitManifest(site, manifestOf(site).replace(/newName: .*/, 'newName: evil.example.org/x')),
      {},
      'deploy.images',
      /has no entry for/,
    ],
    [
      'F95 a resource with a sidecar',
      (site) => {
        const file = site.path('gitops', 'deployment.yaml');
        writeFileSync(
          file,
          readFileSync(file, 'utf8').replace(
            /containers:\n/,
            'containers:\n        - { name: evil, image: evil.example.org/x }\n',
          ),
        );
        commit(site);
      },
      {},
      'deploy.images',
      /about which nothing was decided/,
    ],
    [
      'a manifest of another namespace',
      (site) => commitManifest(site, manifestOf(site).replace('namespace: lab-results', 'namespace: kube-system')),
      {},
      'deploy.target',
      /has no Deployment lab-results\/lab-results/,
    ],
  ];
  it.each(rows.map((row) => ({ name: row[0], row })))('$name', async ({ row: [, act, changes, rule, reason] }) => {
    const site = scene.at('decided');
    const made = await act(site);
    const before = {
      head: headOf(site),
      manifest: manifestOf(site),
      once: keysIn(site).filter((key) => key.startsWith('v1/once/')),
    };
    const flags = typeof changes === 'function' ? changes(site, made) : changes;
    const { code, json } = await steps.deploy(site, { ...asked(), ...(flags as object) });
    expect({ code, verdict: verdictOf({ code, json, text: '' }) }).toEqual({ code: 1, verdict: [rule] });
    expect(json.reasons[0]).toMatchObject({ message: expect.stringMatching(reason), fix: expect.any(String) });
    expect(json.reasons[0].controls.length).toBeGreaterThan(0);
    expect({
      head: headOf(site),
      manifest: manifestOf(site),
      once: keysIn(site).filter((key) => key.startsWith('v1/once/')),
    }).toEqual(before);
    // The refusal itself is on record, without an intent.
    const outcome = recordOf(site, 'deploy.outcome').record;
    expect(outcome).toMatchObject({
      outcome: rule === 'deploy.once' ? 'error' : 'denied',
      data: { reasons: json.reasons, decisionId: null },
    });
    expect(keysIn(site).some((key) => key.includes('-deploy.intent-'))).toBe(false);
  });
});

function factsOf(site: Site): string {
  return recordAt(site, scene.decisions.deploy).attachments.find(({ role }) => role === 'facts')?.key as string;
}
function commit(site: Site): void {
  const git = ['-C', site.path('gitops'), '-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  run('git', [...git, 'commit', '-qam', 'edited']);
}
function commitManifest(site: Site, text: string): void {
  writeFileSync(site.path('gitops', 'kustomization.yaml'), text);
  commit(site);
}

describe('what is no deploy at all', () => {
  it.each<[string, (site: Site) => unknown, { [flag: string]: string }, number, string]>([
    ['a key that leads out of the store', nothing, { decision: 'v1/records/../../../etc/passwd' }, 2, 'store.key'],
    ['a tag', nothing, { image: '127.0.0.1:5000/care/lab-results:latest' }, 2, 'reference.tag'],
    ['no digest', nothing, { image: '127.0.0.1:5000/care/lab-results@' }, 2, 'reference.digest'],
    ['half a target', nothing, { target: 'demo/lab-results' }, 2, 'inputs.target'],
    ['too much of a target', nothing, { target: 'demo/lab-results/Deployment/lab-results/x' }, 2, 'inputs.target'],
    [
      'a manifest that nobody committed',
      (site) => writeFileSync(site.path('gitops', 'kustomization.yaml'), `${manifestOf(site)}# x\n`),
      {},
      2,
      'gitops.uncommitted',
    ],
    [
      'F84 a label that is written where an image volume has its reference',
      (site) => {
        const label = { pairs: { reference: `evil.example.org/x@${scene.digest}` } };
        const fields = [{ path: 'spec/template/spec/volumes/image', create: true }];
        commitManifest(site, `${manifestOf(site)}labels: ${JSON.stringify([{ ...label, fields }])}\n`);
      },
      {},
      2,
      'kustomization.unread',
    ],
    [
      'a manifest that is not there',
      (site) => rmSync(site.path('gitops', 'kustomization.yaml')),
      {},
      2,
      'file.unreadable',
    ],
    [
      'a branch that is locked',
      (site) => writeFileSync(site.path('gitops', '.git', 'refs', 'heads', 'main.lock'), ''),
      {},
      3,
      'gitops.git',
    ],
    ['no store', (site) => rmSync(site.path('store'), { recursive: true }), {}, 3, 'store.missing'],
    [
      'a file for a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        writeFileSync(site.path('store'), '');
      },
      {},
      3,
      'store.not_a_folder',
    ],
    [
      'no register',
      (site) => rmSync(site.path('store', 'v1', 'register'), { recursive: true }),
      {},
      1,
      'register.none',
    ],
  ])('%s', async (_, act, changes, code, error) => {
    const site = scene.at('decided');
    await act(site);
    const before = headOf(site);
    expect(await steps.deploy(site, { ...asked(), ...changes })).toMatchObject({ code, json: { code: error } });
    expect(headOf(site)).toBe(before);
  });

  it('a failed commit is on record: an intent, and an outcome that says why', async () => {
    const site = scene.at('decided');
    writeFileSync(site.path('gitops', '.git', 'refs', 'heads', 'main.lock'), '');
    expect((await steps.deploy(site, asked())).code).toBe(3);
    const { opId } = recordOf(site, 'deploy.intent').record;
    expect(recordOf(site, 'deploy.outcome').record).toMatchObject({
      opId,
      outcome: 'error',
      data: { observedDigest: null, error: expect.stringContaining('main.lock') },
    });
    rmSync(site.path('gitops', '.git', 'refs', 'heads', 'main.lock'));
    // The decision is used up: whether something happened is for people to find out.
    expect(verdictOf(await steps.deploy(site, asked()))).toEqual(['deploy.once']);
  });
});

/** Makes the site's GitOps repository a clone of one that the cluster follows; gives that one's folder. */
function follow(site: Site, bare = join(sandbox.folder('followed'), 'gitops.git')): string {
  run('git', ['clone', '-q', '--bare', site.path('gitops'), bare]);
  run('git', ['-C', site.path('gitops'), 'remote', 'add', 'origin', bare]);
  return bare;
}
const refuses = (bare: string, name: string, script: string) =>
  writeFileSync(join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const tipOf = (bare: string) => run('git', ['-C', bare, 'rev-parse', 'main']).stdout.trim();

describe('F93 a commit that the cluster does not get is no deploy', () => {
  it('what arrives and stays is: on record with repository, branch and commit', async () => {
    const site = scene.at('decided');
    const bare = follow(site);
    const said = await steps.deploy(site, asked());
    expect(said).toMatchObject({ code: 0, json: { commit: tipOf(bare) } });
    const where = { repository: `file://${bare}`, branch: 'main' };
    expect(recordOf(site, 'deploy.intent').record.data).toMatchObject(where);
    expect(recordOf(site, 'deploy.outcome').record.data).toMatchObject({ ...where, commit: tipOf(bare) });
  });

  it('a push that the server refuses is an error on record, never a success, and uses the decision up', async () => {
    const site = scene.at('decided');
    const bare = follow(site);
    refuses(bare, 'pre-receive', 'exit 1');
    const before = { head: headOf(site), tip: tipOf(bare), manifest: manifestOf(site) };
    expect(await steps.deploy(site, asked())).toMatchObject({ code: 3, json: { code: 'gitops.push' } });
    expect({ head: headOf(site), tip: tipOf(bare), manifest: manifestOf(site) }).toEqual(before);
    const { opId } = recordOf(site, 'deploy.intent').record;
    expect(recordOf(site, 'deploy.outcome').record).toMatchObject({
      opId,
      outcome: 'error',
      data: { observedDigest: null, error: expect.stringContaining('pre-receive hook declined') },
    });
    rmSync(join(bare, 'hooks', 'pre-receive'));
    expect(verdictOf(await steps.deploy(site, asked()))).toEqual(['deploy.once']);
    expect(tipOf(bare)).toBe(before.tip);
  });

  it('a server that says yes and keeps nothing is a failure on record', async () => {
    const site = scene.at('decided');
    const bare = follow(site);
    const before = tipOf(bare);
    refuses(bare, 'post-receive', `git update-ref refs/heads/main ${before}`);
    expect(await steps.deploy(site, asked())).toMatchObject({ code: 1, json: { code: 'deploy.observed' } });
    const { outcome, data } = recordOf(site, 'deploy.outcome').record;
    expect({ outcome, differences: data.differences }).toEqual({
      outcome: 'failure',
      differences: [
        expect.stringContaining('does not hold commit'),
        expect.stringContaining('does not hold the manifest'),
      ],
    });
    expect(tipOf(bare)).toBe(before);
  });

  it('a branch that moved on before uses nothing up', async () => {
    const site = scene.at('decided');
    const bare = follow(site);
    const old = tipOf(bare);
    const made = [
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.org',
      'commit-tree',
      'main^{tree}',
      '-p',
      'main',
      '-m',
      'x',
    ];
    const newer = run('git', ['-C', bare, ...made]).stdout.trim();
    run('git', ['-C', bare, 'update-ref', 'refs/heads/main', newer]);
    expect(await steps.deploy(site, asked())).toMatchObject({ code: 2, json: { code: 'gitops.behind' } });
    expect(keysIn(site).some((key) => key.startsWith('v1/once/') || key.includes('-deploy.intent-'))).toBe(false);
    run('git', ['-C', bare, 'update-ref', 'refs/heads/main', old]);
    expect((await steps.deploy(site, asked())).code).toBe(0);
  });
});

describe('F93 a branch that contract.yml does not give to the target', () => {
  const folder = sandbox.folder('bound');
  const bare = join(folder, 'gitops.git');
  let bound: Scene;
  beforeAll(async () => {
    bound = await playRun(folder, undefined, 'decided', (site) =>
      editContract(site, ({ environments }) => {
        environments.production.targets[0].manifests = { repository: `file://${bare}`, branch: 'main' };
      }),
    );
    follow(bound.at('decided'), bare);
  });
  afterAll(async () => await bound.registry.close());
  const deploy = (site: Site) =>
    steps.deploy(site, {
      decision: bound.decisions.deploy,
      image: bound.image,
      manifest: site.path('gitops', 'kustomization.yaml'),
    });
  const git = (site: Site, ...words: string[]) => run('git', ['-C', site.path('gitops'), ...words]);

  it.each<[string, (site: Site) => unknown, RegExp]>([
    [
      'a scratch branch of the repository',
      (site) => {
        git(site, 'remote', 'add', 'origin', bare);
        git(site, 'checkout', '-qb', 'scratch');
        git(site, 'push', '-q', 'origin', 'scratch');
      },
      /follows branch main of file:.*checked out is branch scratch of file:/,
    ],
    ['another repository', (site) => follow(site), /checked out is branch main of file:/],
    ['a folder that nobody follows', () => {}, /checked out is a repository without a remote/],
  ])('%s is refused, recorded, and uses nothing up', async (_, act, reason) => {
    const site = bound.at('decided');
    const before = tipOf(bare);
    await act(site);
    const said = await deploy(site);
    expect({ code: said.code, verdict: verdictOf(said) }).toEqual({ code: 1, verdict: ['deploy.target'] });
    expect(said.json.reasons[0].message).toMatch(reason);
    expect(tipOf(bare)).toBe(before);
    expect(keysIn(site).some((key) => key.startsWith('v1/once/') || key.includes('-deploy.intent-'))).toBe(false);
    expect(recordOf(site, 'deploy.outcome').record).toMatchObject({ outcome: 'denied', data: { decisionId: null } });
  });

  it('its own branch is not', async () => {
    const site = bound.at('decided');
    git(site, 'remote', 'add', 'origin', bare);
    const said = await deploy(site);
    expect(said).toMatchObject({ code: 0, json: { commit: tipOf(bare), repository: `file://${bare}` } });
  });
});

describe('a decision is used once', () => {
  it('by one of two at the same time', async () => {
    const site = scene.at('decided');
    const other = {
      ...site,
      path: (...parts: string[]) => (parts[0] === 'run.json' ? `${site.path('run.json')}.2` : site.path(...parts)),
    };
    writeFileSync(
      other.path('run.json'),
      readFileSync(site.path('run.json'), 'utf8').replace(/"nextStep":(\d+)/, '"nextStep":90'),
    );
    const said = await Promise.all([site, other, site, other].map((each) => steps.deploy(each, asked())));
    expect(said.filter(({ code }) => code === 0)).toHaveLength(1);
    expect(said.filter(({ code }) => code !== 0).map(verdictOf)).toEqual([
      ['deploy.once'],
      ['deploy.once'],
      ['deploy.once'],
    ]);
    expect(run('git', ['-C', site.path('gitops'), 'rev-list', '--count', 'HEAD']).stdout.trim()).toBe('2');
    expect(keysIn(site).filter((key) => key.includes('-deploy.intent-'))).toHaveLength(1);
  });

  it.each([
    ['commits', 'commit-tree', false],
    ['has pushed', 'fetch --quiet', true],
  ])(
    'F94 F65 also when the deploy is killed as it %s: the ledger shows it, and a retry is refused',
    async (_, at, arrived) => {
      const site = copySite(scene.at('decided'), join(sandbox.folder('killed'), 'site'));
      const bare = follow(site);
      // The program itself, in place of the two files that stand for it, and a git that kills it when it commits.
      await installProgram(site);
      const { json: decided } = await succeed(steps.gate(site, 'deploy', scene.image));
      const bin = sandbox.folder('bin');
      writeFileSync(
        join(bin, 'git'),
        `#!/bin/sh\ncase "$*" in *'${at}'*) kill -9 $PPID; sleep 1;; esac\nexec ${run('sh', ['-c', 'command -v git']).stdout.trim()} "$@"\n`,
        { mode: 0o755 },
      );
      const key = join(sandbox.folder('key'), 'key.pem');
      writeFileSync(key, site.keys.get('deploy') as string, { mode: 0o600 });
      const words = [
        'deploy-by-digest',
        '--decision',
        decided.key,
        '--image',
        scene.image,
        '--environment',
        'production',
        '--target',
        'demo/lab-results/Deployment/lab-results',
        '--manifest',
        site.path('gitops', 'kustomization.yaml'),
        '--run',
        site.path('run.json'),
        '--key',
        `file://${key}`,
      ];
      const child = spawn(process.execPath, [site.program, ...words], {
        env: { ...cleanEnvironment(site.folder), PATH: `${bin}:${process.env.PATH}` },
        stdio: 'ignore',
      });
      expect(await new Promise((done) => child.on('exit', (_, signal) => done(signal)))).toBe('SIGKILL');
      expect(recordOf(site, 'deploy.intent').record.data).toMatchObject({ decisionId: decided.id });
      expect(keysIn(site).some((each) => each.includes('-deploy.outcome-'))).toBe(false);
      // Whoever looks finds the decision in the commit, if it is there.
      const log = run('git', ['-C', bare, 'log', '-1', '--format=%B', 'main']).stdout;
      expect(log.includes(`Gatehouse-Decision: ${decided.id}`)).toBe(arrived);
      if (arrived) run('git', ['-C', site.path('gitops'), 'pull', '-q', bare, 'main']);

      const retry = await steps.deploy(site, asked({ decision: decided.key }));
      expect({ code: retry.code, verdict: verdictOf(retry) }).toEqual({ code: 1, verdict: ['deploy.once'] });
      await succeed(steps.seal(site));
      const trust = join(sandbox.folder('trust'), 'trust.json');
      writeFileSync(
        trust,
        JSON.stringify({
          schema: 'gatehouse/trust/1',
          release: [publicKeyOf(site, 'release')],
          notary: [publicKeyOf(site, 'notary')],
          checkpoint: null,
        }),
      );
      const verified = await direct(
        site,
        ['ledger', 'verify', '--store', `file://${site.path('store')}`, '--trust', trust],
        { now: () => Date.now() + 2 * 3_600_000 },
      );
      const codes = verified.json.findings.map((finding: { code: string }) => finding.code);
      expect(codes).toContain('INTENT_WITHOUT_OUTCOME');
    },
  );
});
