import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

/*
 * The reusable workflow as act can run it: a generated copy beside the release in one repository. What differs from the original
 * is said here, once:
 *   - our actions by ./ instead of $/, since act knows no $/;
 *   - STAND-INS for the artifact actions: a folder of the runner, by name;
 *   - a checkout first in every job, by act itself, which brings the actions; the manifest lies in the same repository;
 *   - the address at which each job asks for its ID token, which on GitHub the runner sets;
 *   - a runner by label instead of by its group;
 *   - whether the ref is protected, which act does not know;
 *   - job approve tells the fake API that the environment was approved, as a person would do on GitHub.
 */

export const FILE = '.github/workflows/promote.yml';

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

export interface World {
  isProtected: boolean;
  /** Where job NAME asks for its ID token; and, with `/approved`, where approve says that it was let go. */
  runner: string;
}

/** Writes the copy, the stand-ins and a caller into a repository that holds a release. */
export function layCopy(folder: string, inputs: Record<string, string>, { isProtected, runner }: World): void {
  const workflow = readWorkflow();
  for (const [name, job] of Object.entries(workflow.jobs)) {
    job['runs-on'] = 'ubuntu-latest';
    job.if = job.if?.replace('github.ref_protected', String(isProtected));
    job.steps = [CHECKOUT, ...job.steps.filter(({ uses }) => uses?.startsWith('actions/checkout@') !== true)];
    for (const step of job.steps) step.uses = step.uses === CHECKOUT.uses ? step.uses : local(step.uses);
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
  writeFileSync(
    at('.github/workflows/release.yml'),
    stringify({
      on: { push: null },
      jobs: {
        promote: {
          uses: `./${FILE}`,
          with: inputs,
          secrets: { 'manifest-token': '${{ secrets.MANIFEST_TOKEN }}' },
        },
      },
    }),
  );
  for (const [name, script] of Object.entries({
    'upload-artifact': 'mkdir -p "$HOME/artifacts" && cp -r "$FOLDER" "$HOME/artifacts/$NAME"',
    'download-artifact': 'mkdir -p "$FOLDER" && cp -r "$HOME/artifacts/$NAME/." "$FOLDER"',
  })) {
    mkdirSync(at('stand-ins', name), { recursive: true });
    writeFileSync(
      at('stand-ins', name, 'action.yml'),
      stringify({
        name: `STAND-IN for ${name}`,
        description: 'a folder of the runner instead of the platform’s store of artifacts',
        inputs: { name: { required: true }, path: { required: true }, 'if-no-files-found': {}, 'retention-days': {} },
        runs: {
          using: 'composite',
          steps: [{ shell: 'bash', run: script, env: { NAME: '${{ inputs.name }}', FOLDER: '${{ inputs.path }}' } }],
        },
      }),
    );
  }
  cpSync('actions', at('actions'), { recursive: true });
}

function local(uses: string | undefined): string | undefined {
  if (uses === undefined) return undefined;
  if (uses.startsWith('$/')) return uses.replace('$/', './');
  const artifact = /^actions\/((?:up|down)load-artifact)@/.exec(uses);
  if (artifact === null) throw new Error(`the copy has no stand-in for ${uses}`);
  return `./stand-ins/${artifact[1]}`;
}
