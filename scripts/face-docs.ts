/** A README beside each face, out of the face itself: what it does, its inputs and its outputs as tables. */
import { parse, parseAllDocuments } from 'yaml';
import { commands } from '../src/commands/catalogue.ts';
import { RUN_TIME } from './faces.ts';
import { ABOUT } from './pipelines.ts';
import { COMPONENTS, RELEASE, WORKFLOWS } from './published.ts';

export interface Input {
  description?: string;
  required?: boolean;
  default?: unknown;
  options?: string[];
  type?: string;
  regex?: string;
}

/** Path → content of the READMEs for these faces (path → text of action.yml and template.yml files). */
export async function faceDocs(faces: Record<string, string>): Promise<Record<string, string>> {
  const docs: Record<string, string> = {};
  for (const [path, text] of Object.entries(faces)) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    docs[`${folder}/README.md`] = path.startsWith('actions/')
      ? await actionDoc(name, text)
      : await componentDoc(name, text);
  }
  return docs;
}

async function actionDoc(name: string, text: string): Promise<string> {
  const { inputs, outputs } = parse(text) as { inputs: Record<string, Input>; outputs: Record<string, Input> };
  const needed = Object.keys(inputs).filter((input) => inputs[input]?.required === true);
  const keyless = KEYLESS[name];
  return page(name, await describe(name, inputs), [
    keyless === undefined
      ? 'A step of the reusable workflow `promote.yml`, and refused in any other:'
      : 'Without a key, as a step of any workflow; what signs or records is a step of the reusable workflow `promote.yml`, and refused in any other:',
    [
      '```yaml',
      `- uses: ${WORKFLOWS}/actions/${name}@v${RELEASE}`,
      '  with:',
      ...(keyless ?? needed.map((input) => `${input}: …`)).map((line) => `    ${line}`),
      '```',
    ].join('\n'),
    '## Inputs',
    inputTable(inputs),
    '## Outputs',
    ['| output | what it is |', '|--|--|', ...rows(outputs)].join('\n'),
  ]);
}

/** What an action does for anybody. */
const KEYLESS: Readonly<Record<string, readonly string[]>> = {
  'build-sign': ['phase: build', 'layout: image'],
  scan: ['report: trivy.json'],
  'policy-gate': [
    'stage: preview',
    'environment: production',
    'reports: reports',
    'digest: ${{ steps.scan.outputs.digest }}',
  ],
};

async function componentDoc(name: string, text: string): Promise<string> {
  const inputs = templateInputs(text);
  const about = ABOUT[name];
  const outputs = about === undefined ? await lateOutputs(name, String((inputs.outputs as Input).default)) : [];
  // What an application includes must name the host: `collect` takes no variable there.
  const host = name === 'child' ? 'gitlab.example.org' : '$CI_SERVER_FQDN';
  return page(name, about?.says ?? (await describe(name, inputs)), [
    `In ${about?.where ?? 'the pipeline of the protected project'}:`,
    [
      '```yaml',
      'include:',
      `  - component: ${host}/${COMPONENTS}/${name}@<commit of the release>`,
      '    inputs:',
      ...Object.keys(inputs)
        .filter((input) => inputs[input]?.required === true)
        .map((input) => `      ${input}: …`),
      '```',
    ].join('\n'),
    '## Inputs',
    inputTable(inputs),
    ...outputs,
  ]);
}

/** What later jobs get of a verb's outputs: lists of receipts fit into no variable. */
async function lateOutputs(name: string, prefix: string): Promise<string[]> {
  const { inputs, outputs = {} } = await (commands[name] as (typeof commands)[string])();
  const late = RUN_TIME.filter((input) => input in inputs.shape).map((input) => `\`${input}\``);
  const variables = Object.entries(outputs)
    .filter(([output]) => !output.startsWith('receipt'))
    .map(([output, description]) => [`${prefix}_${output.toUpperCase().replaceAll('-', '_')}`, { description }]);
  return [
    ...(late.length === 0
      ? []
      : [
          `What is known only when the pipeline runs may be the name of a variable, as \`$GATEHOUSE_IMAGE\`: ${late.join(', ')}.`,
        ]),
    ...(variables.length === 0
      ? []
      : [
          '## Outputs',
          [
            '| variable of jobs that name this one in `artifacts-of` | what it is |',
            '|--|--|',
            ...rows(Object.fromEntries(variables)),
          ].join('\n'),
        ]),
  ];
}

/** The inputs of a component's template; what has no default is required. */
export function templateInputs(text: string): Record<string, Input> {
  const [header] = parseAllDocuments(text);
  const { spec } = (header as { toJS(): { spec: { inputs: Record<string, Input> } } }).toJS();
  return Object.fromEntries(
    Object.entries(spec.inputs).map(([input, each]) => [input, { ...each, required: each.default === undefined }]),
  );
}

/** The same of the reusable workflow, for who copies the caller beside it. */
export function workflowDoc(text: string): string {
  const { on, jobs } = parse(text) as {
    on: {
      workflow_call: { inputs: Record<string, Input>; secrets: Record<string, Input>; outputs: Record<string, Input> };
    };
    jobs: Record<string, { environment?: string }>;
  };
  const { inputs, secrets, outputs } = on.workflow_call;
  const environments = Object.values(jobs).flatMap(({ environment = '' }) =>
    environment.startsWith('gatehouse-') ? [environment] : [],
  );
  return page(
    'promote.yml',
    'The reusable workflow that takes one image from a merged commit to its deploy. Copy `promote.yml` of this folder, which calls it at a released version, and put your image, target and manifest there: it is written for the contract.yml of its release, which must list them. Call it once in a workflow: a run has one opening and one seal, so another image or environment has a workflow of its own. To run a failed run again use “Re-run all jobs”: after “Re-run failed jobs” nothing opened the new attempt, and the gate denies.',
    [
      `Pull requests, forks and unprotected refs get a preview: scans, and what the gate would say of them. Everything else runs ${Object.keys(
        jobs,
      )
        .filter((name) => name !== 'preview')
        .map((name) => `\`${name}\``)
        .join(', ')}.`,
      '## Inputs',
      inputTable(inputs),
      '## Secrets',
      ['| secret | what it is |', '|--|--|', ...rows(secrets)].join('\n'),
      '## Outputs',
      ['| output | what it is |', '|--|--|', ...rows(outputs)].join('\n'),
      '## What the calling repository needs',
      [
        `- environments ${[...new Set(environments)]
          .sort()
          .map((name) => `\`${name}\``)
          .join(
            ', ',
          )}, each for exactly the branches of \`refs\` in contract.yml (not “protected branches only”: without branch protection GitHub then lets every branch through) and without reviewers; in each, where store or keys are in AWS, the variable \`GATEHOUSE_STORE_ROLE\`: the IAM role of that environment;`,
        '- the environment that `environment` names, with the reviewers who may approve, and no other job under it;',
        '- access to the runner groups `gatehouse-deploy`, and `gatehouse-build`, whose runners have git, the scanners of contract.yml and what your build needs;',
        '- for gitops a secret `MANIFEST_TOKEN`: a token that may write the contents of the manifest’s repository, and nothing else, since whoever may push a branch here can read it;',
        '- the permissions that the copied file grants.',
      ].join('\n'),
    ],
  );
}

/** What the verb says of itself; a pipeline's component that is no verb says it in its own template. */
async function describe(name: string, inputs: Record<string, Input>): Promise<string> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return load === undefined
    ? ''
    : asInputs((await load()).description.replaceAll('\n', ' ').replace(' Exit code:', '\n\nExit code:'), inputs);
}

/** Whoever reads it has inputs: flags are named as such, or as what only the command line has. */
function asInputs(text: string, inputs: Record<string, Input>): string {
  return text.replaceAll(/--([a-z][a-z-]*)/g, (flag, input) =>
    Object.hasOwn(inputs, input) ? `input \`${input}\`` : `\`${flag}\` (command line)`,
  );
}

function page(name: string, description: string, parts: string[]): string {
  return `<!-- Written by npm run generate. -->\n${[`# ${name}`, description, ...parts].filter(Boolean).join('\n\n')}\n`;
}

/** Inputs as a table. */
export function inputTable(inputs: Record<string, Input>): string {
  const all = Object.entries(inputs).map(([name, { description = '', required, default: preset, options }]) => {
    const choice = options === undefined ? '' : ` (${options.join(', ')})`;
    return `| \`${name}\` | ${cell(asInputs(`${description}${choice}`, inputs))} | ${required === true ? 'required' : preset === undefined || preset === '' ? '' : `\`${Array.isArray(preset) ? JSON.stringify(preset) : preset}\``} |`;
  });
  return ['| input | what it is | default |', '|--|--|--|', ...all].join('\n');
}

function rows(outputs: Record<string, Input>): string[] {
  return Object.entries(outputs).map(([name, { description = '' }]) => `| \`${name}\` | ${cell(description)} |`);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
