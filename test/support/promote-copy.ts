import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/*
 * The reusable workflow as act can run it: a generated copy beside the release in one repository. What differs from the original
 * is said here, once:
 *   - our actions by ./ instead of $/, since act knows no $/;
 *   - STAND-INS for the artifact actions: a folder of the runner, by name;
 *   - a checkout first in every job, by act itself, which brings the actions;
 *   - a STAND-IN for the checkout of the manifest's repository: a clone of what the git server of the test has by that name;
 *   - the address at which each job asks for its ID token, which on GitHub the runner sets;
 *   - a runner by label instead of by its group;
 *   - whether the ref is protected, which act does not know;
 *   - job approve tells the fake API that the environment was approved, as a person would do on GitHub.
 * It is called by the file that applications copy, with another image, target and build alone.
 */

export const FILE = '.github/workflows/promote.yml';
/** The shipped caller, as it is while this is ours: a fork may have written its own names into it. */
export const CALLER = 'test/fixtures/promote.yml';

interface Step {
  uses?: string | undefined;
  run?: string;
  with?: Record<string, unknown>;
  [key: string]: unknown;
}
export interface Job {
  needs?: string | string[];
  if?: string | undefined;
  environment?: string;
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  steps: Step[];
  [key: string]: unknown;
}
export interface Workflow {
  on: { workflow_call: { inputs: Record<string, Record<string, unknown>>; [key: string]: unknown } };
  permissions: unknown;
  jobs: Record<string, Job>;
}

export const readWorkflow = (): Workflow => parse(readFileSync(FILE, 'utf8')) as Workflow;

const CHECKOUT = { uses: 'actions/checkout@v4' };
/** Folder of the manifest's clone: beside the actions, which on GitHub lie elsewhere. */
const MANIFESTS = 'manifests';
/** Of the actions that are stood in for. */
const INPUTS = [
  ...['name', 'path', 'if-no-files-found', 'retention-days'],
  ...['repository', 'ref', 'token', 'persist-credentials'],
];

export interface World {
  isProtected: boolean;
  /** Where job NAME asks for its ID token; and, with `/approved`, where approve says that it was let go. */
  runner: string;
  /** Where repositories are cloned from. */
  git: string;
}

/** Writes the copy, the stand-ins and its caller, with these inputs changed, into a repository that holds a release. */
export function layCopy(folder: string, changes: Record<string, string>, { isProtected, runner, git }: World): void {
  const workflow = readWorkflow();
  for (const [name, job] of Object.entries(workflow.jobs)) {
    job['runs-on'] = 'ubuntu-latest';
    job.if = job.if?.replace('github.ref_protected', String(isProtected));
    const steps = job.steps.filter(({ uses, with: given }) => !isCheckout(uses) || given?.repository !== undefined);
    job.steps = [CHECKOUT, ...steps.map((step) => ({ ...step, uses: local(step.uses) }))];
    for (const { with: given } of job.steps)
      if (given?.manifest !== undefined) given.manifest = `${MANIFESTS}/${given.manifest}`;
    if (job.permissions?.['id-token'] === 'write')
      job.env = {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${runner}/${name}?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-password',
      };
    if (name === 'approve') job.steps.push({ run: `curl -sSf ${runner}/approved` });
  }
  const at = (...parts: string[]) => join(folder, ...parts);
  mkdirSync(at('.github/workflows'), { recursive: true });
  writeFileSync(at(FILE), stringify(JSON.parse(JSON.stringify(workflow)), { lineWidth: 0 }));
  writeFileSync(at('.github/workflows/release.yml'), stringify(callerOf(changes)));
  for (const [name, script] of Object.entries({
    'upload-artifact': 'mkdir -p "$HOME/artifacts" && cp -r "$FOLDER" "$HOME/artifacts/$NAME"',
    'download-artifact': 'mkdir -p "$FOLDER" && cp -r "$HOME/artifacts/$NAME/." "$FOLDER"',
    checkout: `rm -rf ${MANIFESTS} && git clone -q \${BRANCH:+--branch "$BRANCH"} "${git}/$REPOSITORY" ${MANIFESTS}`,
  })) {
    mkdirSync(at('stand-ins', name), { recursive: true });
    const env = name === 'checkout' ? { REPOSITORY: 'repository', BRANCH: 'ref' } : { NAME: 'name', FOLDER: 'path' };
    writeFileSync(
      at('stand-ins', name, 'action.yml'),
      stringify({
        name: `STAND-IN for ${name}`,
        description: 'this machine instead of the platform’s repositories and its store of artifacts',
        inputs: Object.fromEntries(INPUTS.map((input) => [input, {}])),
        runs: {
          using: 'composite',
          steps: [
            {
              shell: 'bash',
              run: script,
              env: Object.fromEntries(Object.entries(env).map(([key, input]) => [key, `\${{ inputs.${input} }}`])),
            },
          ],
        },
      }),
    );
  }
  cpSync('actions', at('actions'), { recursive: true });
}

/** The shipped file, which a push starts, as the caller of the copy. */
function callerOf(changes: Record<string, string>) {
  const { jobs, ...caller } = parse(readFileSync(CALLER, 'utf8')) as { jobs: { promote: { with: object } } };
  const { promote } = jobs;
  return {
    ...caller,
    on: { push: null },
    jobs: { promote: { ...promote, uses: `./${FILE}`, with: { ...promote.with, ...changes } } },
  };
}

const isCheckout = (uses: string | undefined) => uses?.startsWith('actions/checkout@') === true;

function local(uses: string | undefined): string | undefined {
  if (uses === undefined) return undefined;
  if (isCheckout(uses)) return './stand-ins/checkout';
  if (uses.startsWith('$/')) return uses.replace('$/', './');
  const artifact = /^actions\/((?:up|down)load-artifact)@/.exec(uses);
  if (artifact === null) throw new Error(`the copy has no stand-in for ${uses}`);
  return `./stand-ins/${artifact[1]}`;
}
