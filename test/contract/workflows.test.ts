import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { WORKFLOWS } from '../../scripts/published.ts';
import { commands } from '../../src/commands/catalogue.ts';
import type { Command } from '../../src/commands/command.ts';
import { differences, permissionFaults, union } from '../support/permissions.ts';
import { FILE, type Job, readWorkflow, type Workflow } from '../support/promote-copy.ts';

const OWN = readdirSync('.github/workflows').map((name) => join('.github/workflows', name));
const CALLERS = ['workflows/github/promote.yml'];
const REUSABLE = `${WORKFLOWS}/.github/workflows/promote.yml`;
/** Jobs that no promote is made of: what they ask is in their steps alone. */
const ALONE = OWN.filter((file) => file !== FILE);

/** What of a workflow's text breaks a rule that holds for all of them. */
function faultsOf(text: string): string[] {
  const { permissions, jobs } = parse(text) as Workflow;
  return [
    ...(JSON.stringify(permissions) === '{}' ? [] : ['permissions: {} does not stand at the top']),
    ...Object.entries(jobs).flatMap(([name, job]) => [
      ...(job.permissions === undefined ? [`${name} has no permissions of its own`] : []),
      ...(job['timeout-minutes'] === undefined && job.uses === undefined ? [`${name} may run for ever`] : []),
      ...(job.steps ?? []).flatMap(({ run = '' }) =>
        String(run).includes('${{') ? [`${name} puts an expression into a script`] : [],
      ),
    ]),
    ...[...text.matchAll(/^\s*(?:- )?uses: (\S+)(.*)$/gm)].flatMap(([, uses = '', rest = '']) => usesFault(uses, rest)),
  ];
}

/**
 * Our own actions are those of the very commit that runs, `$/`: named by our repository they are of whatever commit stands there,
 * pinned or not, and run beside a key that vouches for this one. Only a caller names us, by the reusable workflow.
 */
function usesFault(uses: string, rest: string): string[] {
  if (uses.startsWith('$/')) return existsSync(uses.slice(2)) ? [] : [`${uses} is not there`];
  if (uses.startsWith(`${REUSABLE}@v`)) return /@v\d+\.\d+\.\d+$/.test(uses) ? [] : [`${uses} is no full version`];
  if (!uses.includes('@') || uses.startsWith('.')) return [`${uses} is of the caller's repository`];
  if (/^[\w.-]+\/compliance-workflows[/@]/i.test(uses))
    return [`${uses} is of our repository, at another commit than this`];
  return /@[0-9a-f]{40}$/.test(uses) && /^ # v\d+\.\d+\.\d+$/.test(rest) ? [] : [`${uses} is not pinned to a commit`];
}

const ORDER = [
  'open',
  'build',
  'scan',
  'preview',
  'sign',
  'record',
  'gate-promote',
  'approve',
  'gate-deploy',
  'deploy',
  'seal',
];
const ROLES: Record<string, string> = {
  open: 'gate',
  sign: 'build',
  record: 'scan',
  'gate-promote': 'gate',
  'gate-deploy': 'gate',
  deploy: 'deploy',
  seal: 'gate',
};
/** Inputs that say what is signed, judged or deployed: they come from jobs before, never from whoever calls. */
const VERIFIED = ['digest', 'subject', 'decision'];

/** What of the reusable workflow breaks the rules of where trust begins (docs/contracts.md). */
async function trustFaults({ jobs }: Workflow): Promise<string[]> {
  const faults =
    Object.keys(jobs).join() === ORDER.join() ? [] : ['the jobs are not those of the contract, in its order'];
  for (const [name, job] of Object.entries(jobs))
    faults.push(...(await jobFaults(name, job)).map((fault) => `${name} ${fault}`));
  const { open, seal } = jobs as Partial<typeof jobs>;
  const sealed = [seal?.needs ?? []].flat();
  const unsealed = ORDER.filter((name) => !['seal', 'preview'].includes(name) && !sealed.includes(name));
  if (unsealed.length > 0) faults.push(`seal does not wait for ${unsealed.join(', ')}`);
  if (seal?.if?.includes('always()') !== true) faults.push('seal is left out when a job fails');
  if (open?.if?.includes('github.ref_protected') !== true) faults.push('open runs for unprotected refs');
  if (open?.if?.includes("!startsWith(github.event_name, 'pull_request')") !== true)
    faults.push('open runs for pull requests');
  return faults;
}

async function jobFaults(name: string, job: Job): Promise<string[]> {
  const role = ROLES[name];
  const trusted = role !== undefined;
  const environment = trusted ? `gatehouse-${role}` : name === 'approve' ? '${{ inputs.environment }}' : undefined;
  const steps = await Promise.all(job.steps.map(stepFaults));
  return [
    ...(job.environment === environment ? [] : [`runs under environment ${job.environment ?? 'none'}`]),
    ...((job.permissions?.['id-token'] === 'write') === trusted ? [] : ['has or lacks the identity of a role']),
    ...(!trusted && Object.values(job.permissions ?? {}).includes('write')
      ? ['may write, and runs what others wrote']
      : []),
    ...(!trusted && /secrets\.|vars\./.test(JSON.stringify(job)) ? ['sees a secret'] : []),
    ...(trusted ? job.steps.flatMap((step) => besideAKey(name, step)) : []),
    ...(job.steps.some(
      ({ uses = '', with: given }) => uses.includes('checkout') && given?.['persist-credentials'] !== false,
    )
      ? ['leaves the token in the checkout']
      : []),
    ...steps.flat(),
  ];
}

/**
 * Beside a key nothing runs but our actions and the artifacts of the jobs before. Job deploy alone has a checkout, of data: the
 * manifest, which is named by the inputs for it.
 */
function besideAKey(name: string, { uses = '', run, with: given = {} }: Job['steps'][number]): string[] {
  if (run !== undefined) return ['runs a script beside a key'];
  const [action] = uses.split('@');
  if (uses.startsWith('$/') || action === 'actions/download-artifact') return [];
  if (action !== 'actions/checkout') return [`runs ${action} beside a key`];
  return name === 'deploy' && String(given.repository).includes('inputs.manifest-repository')
    ? []
    : ['checks out code'];
}

async function stepFaults({ uses = '', with: given = {} }: Job['steps'][number]): Promise<string[]> {
  if (!uses.startsWith('$/')) return [];
  const command = await (commands[uses.slice('$/actions/'.length)] as () => Promise<Command>)();
  const unknown = Object.keys(given).filter((input) => !(input in command.inputs.shape));
  const image = command.name === 'build-sign' || given.image === undefined ? [] : ['image'];
  const handed = [...VERIFIED, ...image].filter(
    (input) =>
      given[input] !== undefined && !/^\$\{\{ needs\.[a-z-]+\.outputs\.[a-z-]+ \}\}$/.test(String(given[input])),
  );
  return [
    ...unknown.map((input) => `gives ${command.name} an input ${input} that it has not`),
    ...handed.map((input) => `takes ${input} from somewhere else than a job before`),
  ];
}

/** How each calling job's permissions differ from the most that any job of the reusable workflow asks for. */
function callerFaults(text: string): string[] {
  const needed = union(
    Object.values(readWorkflow().jobs).flatMap(({ permissions = {} }) => Object.entries(permissions)),
  );
  const { jobs } = parse(text) as Workflow;
  return Object.entries(jobs).flatMap(([name, { permissions = {} }]) =>
    differences(permissions, needed).map((fault) => `${name}: ${fault}`),
  );
}

describe.each([...OWN, ...CALLERS])('%s', (file) => {
  it('keeps the rules of workflows', () => {
    expect(faultsOf(readFileSync(file, 'utf8'))).toEqual([]);
  });
});

describe.each(ALONE)('%s', (file) => {
  it('grants each job what its steps ask for, and nothing more', () => {
    const { jobs } = parse(readFileSync(file, 'utf8')) as Workflow;
    expect(permissionFaults(jobs, new Map())).toEqual([]);
  });
});

describe('the reusable workflow', () => {
  it('keeps the rules of where trust begins', async () => {
    expect(await trustFaults(readWorkflow())).toEqual([]);
  });

  it.each(CALLERS)('is granted by %s all that it needs, and nothing more', (file) => {
    expect(callerFaults(readFileSync(file, 'utf8'))).toEqual([]);
  });

  it('gets from the caller the inputs that it asks for', () => {
    const { inputs } = readWorkflow().on.workflow_call;
    const required = Object.keys(inputs).filter((name) => inputs[name]?.required === true);
    for (const file of CALLERS) {
      const { jobs } = parse(readFileSync(file, 'utf8')) as Workflow;
      const given = Object.values(jobs).flatMap((job) => Object.keys(job.with as object));
      expect(given).toEqual(expect.arrayContaining(required));
      expect(given.filter((name) => !(name in inputs))).toEqual([]);
    }
  });
});

describe('a planted fault is found', () => {
  const text = readFileSync(FILE, 'utf8');
  it.each<[string, string, string, string]>([
    [
      'an action by a tag',
      'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
      'actions/checkout@v5',
      'actions/checkout@v5 is not pinned to a commit',
    ],
    [
      'an action without its version',
      'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0',
      'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8',
      'actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 is not pinned to a commit',
    ],
    [
      'our action from the caller',
      '$/actions/evidence-emit',
      './actions/evidence-emit',
      "./actions/evidence-emit is of the caller's repository",
    ],
    [
      'our action at a commit of its own',
      '$/actions/evidence-emit',
      `${WORKFLOWS}/actions/evidence-emit@${'a'.repeat(40)} # v1.0.0`,
      `${WORKFLOWS}/actions/evidence-emit@${'a'.repeat(40)} is of our repository, at another commit than this`,
    ],
    [
      'our action in a fork of ours',
      '$/actions/evidence-emit',
      `other/Compliance-Workflows/actions/evidence-emit@${'a'.repeat(40)} # v1.0.0`,
      `other/Compliance-Workflows/actions/evidence-emit@${'a'.repeat(40)} is of our repository, at another commit than this`,
    ],
    ['an action that is not there', '$/actions/evidence-emit', '$/actions/emit', '$/actions/emit is not there'],
    [
      'an expression in a script',
      'run: bash -euo pipefail -c "$BUILD"',
      'run: ${{ inputs.build }}',
      'build puts an expression into a script',
    ],
    [
      'permissions for all',
      'permissions: {}\n\njobs:',
      'permissions: read-all\n\njobs:',
      'permissions: {} does not stand at the top',
    ],
    [
      'a job without an end',
      '    timeout-minutes: 10\n    environment: gatehouse-gate',
      '    environment: gatehouse-gate',
      'open may run for ever',
    ],
  ])('%s', (_, from, to, fault) => {
    expect(text).toContain(from);
    expect(faultsOf(text.replace(from, to))).toContain(fault);
  });

  it.each<[string, (workflow: Workflow) => unknown, string]>([
    [
      'a job more',
      ({ jobs }) => {
        jobs.extra = { steps: [] };
      },
      'the jobs are not those of the contract, in its order',
    ],
    [
      'a role in another environment',
      ({ jobs }) => {
        (jobs.sign as Job).environment = 'gatehouse-gate';
      },
      'sign runs under environment gatehouse-gate',
    ],
    [
      'an identity for the build',
      ({ jobs }) => {
        (jobs.build as Job).permissions = { 'id-token': 'write' };
      },
      'build has or lacks the identity of a role',
    ],
    [
      'a secret for the build',
      ({ jobs }) => {
        (jobs.build as Job).env = { TOKEN: '${{ secrets.registry-auth }}' };
      },
      'build sees a secret',
    ],
    [
      'packages for the scan',
      ({ jobs }) => {
        (jobs.scan as Job).permissions = { packages: 'write' };
      },
      'scan may write, and runs what others wrote',
    ],
    [
      'a script beside the signing key',
      ({ jobs }) => jobs.sign?.steps.unshift({ run: 'make' }),
      'sign runs a script beside a key',
    ],
    [
      'a script beside the deploy key',
      ({ jobs }) => jobs.deploy?.steps.push({ run: 'export GIT_CONFIG_VALUE_0=x\ngit push origin HEAD\n' }),
      'deploy runs a script beside a key',
    ],
    [
      'the caller’s code beside the deploy key',
      ({ jobs }) => jobs.deploy?.steps.unshift({ uses: 'actions/checkout@x', with: { 'persist-credentials': false } }),
      'deploy checks out code',
    ],
    [
      'an action of others beside the signing key',
      ({ jobs }) => jobs.sign?.steps.unshift({ uses: 'docker/login-action@x' }),
      'sign runs docker/login-action beside a key',
    ],
    [
      'the caller’s code beside the gate’s key',
      ({ jobs }) =>
        jobs['gate-promote']?.steps.unshift({ uses: 'actions/checkout@x', with: { 'persist-credentials': false } }),
      'gate-promote checks out code',
    ],
    [
      'a token left in the checkout',
      ({ jobs }) => {
        for (const step of jobs.build?.steps ?? []) delete step.with;
      },
      'build leaves the token in the checkout',
    ],
    [
      'a digest that the caller names',
      ({ jobs }) => {
        for (const step of jobs.sign?.steps ?? [])
          if (step.id === 'sign') step.with = { ...step.with, digest: '${{ inputs.digest }}' };
      },
      'sign takes digest from somewhere else than a job before',
    ],
    [
      'an image that the caller names',
      ({ jobs }) => {
        for (const step of jobs.deploy?.steps ?? [])
          if (step.id === 'deploy') step.with = { ...step.with, image: '${{ inputs.image }}' };
      },
      'deploy takes image from somewhere else than a job before',
    ],
    [
      'facts for the gate',
      ({ jobs }) => {
        for (const step of jobs['gate-deploy']?.steps ?? []) step.with = { ...step.with, truth: 'x' };
      },
      'gate-deploy gives policy-gate an input truth that it has not',
    ],
    [
      'a second job that waits',
      ({ jobs }) => {
        (jobs['gate-deploy'] as Job).environment = '${{ inputs.environment }}';
      },
      'gate-deploy runs under environment ${{ inputs.environment }}',
    ],
    [
      'a seal that fails with the run',
      ({ jobs }) => {
        (jobs.seal as Job).if = '${{ success() }}';
      },
      'seal is left out when a job fails',
    ],
    [
      'a job that is not sealed',
      ({ jobs }) => {
        (jobs.seal as Job).needs = ['open', 'deploy'];
      },
      'seal does not wait for build, scan, sign, record, gate-promote, approve, gate-deploy',
    ],
    [
      'a run for any branch',
      ({ jobs }) => {
        (jobs.open as Job).if = "${{ !startsWith(github.event_name, 'pull_request') }}";
      },
      'open runs for unprotected refs',
    ],
    [
      'a run for pull requests',
      ({ jobs }) => {
        (jobs.open as Job).if = '${{ github.ref_protected }}';
      },
      'open runs for pull requests',
    ],
  ])('%s', async (_, plant, fault) => {
    const workflow = readWorkflow();
    plant(workflow);
    expect(await trustFaults(workflow)).toContain(fault);
  });
});

describe('a planted permission is found', () => {
  const caller = readFileSync(CALLERS[0] as string, 'utf8');
  it.each([
    [
      'a scope more',
      'permissions:\n',
      'permissions:\n      issues: read\n',
      'issues is granted read, needed not at all',
    ],
    ['a level too high', 'contents: read', 'contents: write', 'contents is granted write, needed read'],
    ['a level too low', 'packages: write', 'packages: read', 'packages is granted read, needed write'],
    ['a scope less', '      actions: read', '', 'actions is granted not at all, needed read'],
  ])('with the caller: %s', (_, from, to, fault) => {
    expect(caller).toContain(from);
    expect(callerFaults(caller.replace(from, to))).toEqual([`promote: ${fault}`]);
  });

  it('with a second calling job, whatever the first was granted', () => {
    const second = `${caller}\n  again:\n    uses: ${REUSABLE}@v1.0.0\n    permissions: { contents: write }\n`;
    expect(callerFaults(second)).toContain('again: contents is granted write, needed read');
  });

  it.each([
    ['.github/workflows/ci.yml', 'ci', 'contents', 'write', 'ci: contents is granted write, needed read'],
    ['.github/workflows/ci.yml', 'ci', 'packages', 'read', 'ci: packages is granted read, needed not at all'],
    [
      '.github/workflows/release.yml',
      'check',
      'id-token',
      'write',
      'check: id-token is granted write, needed not at all',
    ],
    ['.github/workflows/release.yml', 'publish', 'contents', 'read', 'publish: contents is granted read, needed write'],
    [
      '.github/workflows/release.yml',
      'publish',
      'actions',
      'read',
      'publish: actions is granted read, needed not at all',
    ],
  ])('in %s, job %s: %s %s', (file, name, scope, level, fault) => {
    const { jobs } = parse(readFileSync(file, 'utf8')) as Workflow;
    const job = jobs[name] as Job;
    job.permissions = { ...job.permissions, [scope]: level };
    expect(permissionFaults(jobs, new Map())).toEqual([fault]);
  });

  it('in a step of which nothing is known', () => {
    const jobs = {
      a: { steps: [{ uses: 'actions/cache@x' }] },
      b: { steps: [{ run: 'gh release create x\ngh pr merge', env: { T: '${{ github.token }}' } }] },
    };
    expect(() => permissionFaults({ a: jobs.a }, new Map())).toThrow('actions/cache');
    expect(() => permissionFaults({ b: jobs.b }, new Map())).toThrow('gh pr merge');
  });
});
