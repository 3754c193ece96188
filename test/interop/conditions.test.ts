import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { exec } from '../../src/lib/exec.ts';
import { type Job, readWorkflow } from '../support/promote-copy.ts';
import { cleanEnvironment, commitAll, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

/*
 * Which jobs of promote.yml run, and what the seal says, however the others ended: the shipped conditions, evaluated by the real
 * act. The contexts are given, since act knows no protected refs, no approvals and no job that was cancelled.
 */

const sandbox = sandboxes();
afterAll(sandbox.clean);

type Result = 'success' | 'failure' | 'cancelled' | 'skipped';
interface Case {
  event?: string;
  isProtected?: boolean;
  cancelled?: boolean;
  /** How each job ended; what is not named was skipped. */
  ended: Record<string, Result>;
  /** Outputs of jobs that are other than usual. */
  outputs?: Record<string, Record<string, string>>;
  /** Outcome of the seal; null where nothing is sealed. */
  sealed: Result | null;
}

const jobs = readWorkflow().jobs;
const NAMES = Object.keys(jobs);
const all = (...names: string[]) => Object.fromEntries(names.map((name): [string, Result] => [name, 'success']));
const PREVIEW = { ended: all('build', 'scan', 'preview'), sealed: null } as const;
const MERGED = all('open', 'build', 'scan', 'sign', 'record', 'gate-promote', 'approve', 'gate-deploy', 'deploy');
const until = (last: string, result: Result): Record<string, Result> => {
  const names = Object.keys(MERGED);
  return { ...all(...names.slice(0, names.indexOf(last))), [last]: result };
};
const USUAL: Record<string, Record<string, string>> = {
  build: { digest: 'sha256:1' },
  scan: { digest: 'sha256:2' },
  'gate-promote': { decision: 'allow' },
  'gate-deploy': { decision: 'allow' },
};

const cases: Record<string, Case> = {
  'a merge that is well': { ended: MERGED, sealed: 'success' },
  'a pull request': { event: 'pull_request', isProtected: false, ...PREVIEW },
  'a pull request whose base is a protected ref': { event: 'pull_request_target', ...PREVIEW },
  'a push to an unprotected ref': { isProtected: false, ...PREVIEW },
  'a preview without reports': {
    event: 'pull_request',
    ended: { build: 'success', scan: 'failure' },
    outputs: { scan: { digest: '' } },
    sealed: null,
  },
  'a run that cannot be opened': { ended: { open: 'failure' }, sealed: null },
  'a build that fails': { ended: until('build', 'failure'), sealed: 'failure' },
  'a scan that fails without reports': {
    ended: { ...all('open', 'build', 'sign'), scan: 'failure', 'gate-promote': 'failure' },
    outputs: { scan: { digest: '' } },
    sealed: 'failure',
  },
  'a scan that fails and leaves reports': {
    ended: { ...all('open', 'build', 'sign', 'record'), scan: 'failure', 'gate-promote': 'failure' },
    sealed: 'failure',
  },
  'an image that is not signed': {
    ended: { ...all('open', 'build', 'scan'), sign: 'failure' },
    sealed: 'failure',
  },
  'a denied promotion': { ended: until('gate-promote', 'failure'), sealed: 'failure' },
  'a gate that ended well and allowed nothing': {
    ended: until('gate-promote', 'success'),
    outputs: { 'gate-promote': { decision: '' } },
    sealed: 'skipped',
  },
  'a refused approval': { ended: { ...until('approve', 'failure'), 'gate-deploy': 'failure' }, sealed: 'failure' },
  'a denied deploy': { ended: until('gate-deploy', 'failure'), sealed: 'failure' },
  'a deploy that was not allowed in words': {
    ended: until('gate-deploy', 'success'),
    outputs: { 'gate-deploy': { decision: 'deny' } },
    sealed: 'skipped',
  },
  'a deploy that fails': { ended: until('deploy', 'failure'), sealed: 'failure' },
  'a run that is cancelled while it builds': {
    cancelled: true,
    ended: until('build', 'cancelled'),
    sealed: 'cancelled',
  },
  'a run that is cancelled while it waits for its approval': {
    cancelled: true,
    ended: until('approve', 'cancelled'),
    sealed: 'cancelled',
  },
  'a run that is cancelled after something failed': {
    cancelled: true,
    ended: { ...all('open', 'build', 'sign'), scan: 'failure', record: 'cancelled' },
    sealed: 'failure',
  },
};

/** The expression over contexts that the step's environment holds. */
const over = (expression: string) =>
  `\${{ ${expression
    .replace(/^\$\{\{\s*|\s*\}\}$/g, '')
    .replaceAll('cancelled()', "(env.CANCELLED == 'true')")
    .replaceAll('always()', 'true')
    .replaceAll('needs.*.result', 'fromJSON(env.RESULTS)')
    .replaceAll('needs.', 'fromJSON(env.NEEDS).')
    .replaceAll('github.', 'fromJSON(env.GITHUB).')} }}`;

function steps(id: number, { event = 'push', isProtected = true, cancelled = false, ended, outputs = {} }: Case) {
  const GITHUB = JSON.stringify({ event_name: event, ref_protected: isProtected });
  const expressions = [
    ...NAMES.map((name): [string, string, string[]] => [name, jobs[name]?.if ?? 'success()', needsOf(name)]),
    ['outcome', String((jobs.seal as Job).steps.at(-1)?.with?.outcome), needsOf('seal')] as const,
  ];
  return expressions.map(([name, expression, needs]) => ({
    run: `echo "SAID ${id} ${name} ${over(expression)}"`,
    env: {
      GITHUB,
      // Jobs that had started when somebody cancelled the run began without it.
      CANCELLED: String(cancelled && ended[name] === undefined),
      RESULTS: JSON.stringify(needs.map((need) => ended[need] ?? 'skipped')),
      NEEDS: JSON.stringify(
        Object.fromEntries(
          needs.map((need) => [
            need,
            { result: ended[need] ?? 'skipped', outputs: outputs[need] ?? (ended[need] ? USUAL[need] : {}) ?? {} },
          ]),
        ),
      ),
    },
  }));
}

const needsOf = (name: string) => [jobs[name]?.needs ?? []].flat();

async function evaluate(): Promise<Map<string, string>> {
  const folder = sandbox.folder('conditions');
  mkdirSync(join(folder, '.github/workflows'), { recursive: true });
  const all = Object.values(cases).flatMap((each, id) => steps(id, each));
  writeFileSync(
    join(folder, '.github/workflows/conditions.yml'),
    stringify(
      { on: { push: null }, jobs: { conditions: { 'runs-on': 'ubuntu-latest', steps: all } } },
      { lineWidth: 0 },
    ),
  );
  commitAll(folder);
  const words = ['push', '-P', 'ubuntu-latest=-self-hosted', '--action-offline-mode'];
  const { code, stdout, stderr } = await exec(toolPath('act'), words, { cwd: folder, env: cleanEnvironment(folder) });
  if (code !== 0) throw new Error(`act ended with exit ${code}: ${stdout}${stderr}`);
  return new Map(
    [...stdout.matchAll(/SAID (\d+) (\S+) (\S*)\s*$/gm)].map(([, id, name, value = '']) => [`${id} ${name}`, value]),
  );
}

describe('which jobs run', () => {
  const itAct = itWith('act');
  let said: Map<string, string>;

  itAct('all conditions are evaluated', async () => {
    said = await evaluate();
    expect(said.size).toBe(Object.keys(cases).length * (NAMES.length + 1));
  });

  Object.entries(cases).forEach(([name, { ended, sealed }], id) => {
    itAct(name, () => {
      const runs = NAMES.filter((job) => said.get(`${id} ${job}`) === 'true');
      expect(runs).toEqual(NAMES.filter((job) => (job === 'seal' ? sealed !== null : ended[job] !== undefined)));
      if (sealed !== null) expect(said.get(`${id} outcome`)).toBe(sealed);
    });
  });
});
