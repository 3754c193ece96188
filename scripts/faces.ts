/**
 * The faces of the components, out of their input schemas: action.yml for GitHub, template.yml for GitLab. Names, descriptions,
 * choices and defaults stand in the schema alone.
 */
import { stringify } from 'yaml';
import { commands } from '../src/commands/catalogue.ts';
import type { Command } from '../src/commands/command.ts';
import { metaOf, optionsOf } from '../src/commands/inputs.ts';
import { type RecordType, type Role, roleOfType } from '../src/contract/roles.ts';
import type * as z from '../src/lib/zod.ts';
import { COMPONENTS } from './published.ts';

interface Face {
  title: string;
  /** Of the GitHub Marketplace's icons (feather). */
  icon: string;
  /** Whose environment the job of the GitLab component has: `gatehouse/<role>`. Its platform gives it the role's key for that. */
  role: Role;
  /** Defaults of the component where a job that holds a role's key needs another one than the command line. */
  defaults: Record<string, string>;
  /** What the names of its outputs begin with in later jobs, so that two verbs do not speak of one name. */
  outputs?: string;
}

export const FACES: Readonly<Record<string, Face>> = {
  'build-sign': { title: 'build and sign', icon: 'package', role: 'build', defaults: { phase: 'sign' } },
  scan: { title: 'scan', icon: 'search', role: 'scan', defaults: { phase: 'record' }, outputs: 'GATEHOUSE_SCAN' },
  'evidence-emit': { title: 'evidence', icon: 'book-open', role: 'gate', defaults: {} },
  'policy-gate': { title: 'policy gate', icon: 'shield', role: 'gate', defaults: { stage: 'promote' } },
  'deploy-by-digest': { title: 'deploy by digest', icon: 'upload-cloud', role: 'deploy', defaults: {} },
};

/** Path → content of every face. */
export async function faces(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const [name, face] of Object.entries(FACES)) {
    const command = await (commands[name] as () => Promise<Command>)();
    files[`actions/${name}/action.yml`] = actionText(command, face);
    files[`gitlab-components/templates/${name}/template.yml`] = templateText(command, face);
  }
  return files;
}

type Field = [name: string, schema: z.ZodMiniType];

/** Inputs that may stand in a pipeline. */
function fieldsOf({ inputs }: Command): Field[] {
  return (Object.entries(inputs.shape) as Field[]).filter(([, schema]) => metaOf(schema).cliOnly !== true);
}

function isRequired([, schema]: Field): boolean {
  return !schema.safeParse(undefined).success;
}

/** What an input is when nobody sets it, or null for nothing. */
function defaultOf([, schema]: Field): string | null {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined ? String(parsed.data) : null;
}

/**
 * The ID tokens of a job that holds a role. Ours proves who the job is and is sent to nobody; AWS gives the role's credentials,
 * for the store and the key, against the other. Of GitLab's claims AWS compares subject and audience, and the subject is the same
 * in all jobs: the audience says which role's job it is.
 */
export const idTokens = (role: string) => `  id_tokens:
    GATEHOUSE_ID_TOKEN:
      aud: gatehouse
    GATEHOUSE_AWS_TOKEN:
      aud: sts.amazonaws.com/gatehouse-${role}`;

/** The ID token by which a cluster knows the deploy job, and the input that says for whom it is. */
export const CLUSTER_TOKEN = `
    GATEHOUSE_CLUSTER_TOKEN:
      aud: $[[ inputs.cluster-audience ]]`;
export const CLUSTER_AUDIENCE = {
  description: 'kubernetes: audience of the ID token by which the cluster knows the deploy job',
  regex: '^[A-Za-z0-9._:\\x2f-]{1,200}$',
  default: 'kubernetes',
};

/** `(a, b)`, or nothing where all is allowed. */
export function choicesOf(schema: z.ZodMiniType): string {
  const options = optionsOf(schema);
  return options === null ? '' : `(${options.join(', ')})`;
}

export const NOTE = '# Written by npm run generate from the input schema of the command.\n';
export const yaml = (document: unknown) => stringify(document, { lineWidth: 0 });

function actionText(command: Command, { title, icon }: Face): string {
  const inputs = fieldsOf(command).map((field) => {
    const [name, schema] = field;
    const preset = defaultOf(field);
    return [
      name,
      {
        description: actionSays(schema),
        required: isRequired(field),
        ...(preset === null ? {} : { default: preset }),
      },
    ];
  });
  const outputs = Object.entries(command.outputs ?? {}).map(([name, description]) => [name, { description }]);
  return `${NOTE}${yaml({
    name: `Gatehouse ${title}`,
    description: sentence(command.summary),
    author: 'Gatehouse',
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    // The post step records a cancelled job: a verb that records nothing then has none.
    runs: {
      using: 'node24',
      main: `../../dist/${command.name}.js`,
      ...(command.cancelled === undefined ? {} : { post: `../../dist/${command.name}-post.js` }),
    },
    branding: { icon, color: 'blue' },
  })}`;
}

/** RE2 without a slash, which GitLab's pattern syntax would end at; no quote, no white space, no `$`: inputs stand in a script. */
export const PLAIN = '^([A-Za-z0-9._:@=~+-]|\\x2f)*$';
/** The same, or the name of a CI variable: within double quotes a shell puts its value there and reads nothing in it. */
const PLAIN_OR_VARIABLE = '^(([A-Za-z0-9._:@=~+-]|\\x2f)*|\\$[A-Z][A-Z0-9_]{0,62})$';
/** Inputs whose values an earlier job of the pipeline finds out; components fix inputs before there is a pipeline. */
export const RUN_TIME: readonly string[] = ['image', 'digest', 'subject', 'decision'];

export const JOB_INPUTS = {
  'job-stage': {
    description: 'stage of the pipeline that the job runs in',
    regex: '^[A-Za-z0-9._-]{1,64}$',
    default: 'test',
  },
  'job-image': {
    description: 'image that the job runs in, by digest, with Node 24 and git',
    regex: '^([A-Za-z0-9._:-]|\\x2f)*@sha256:[0-9a-f]{64}$',
  },
  'component-project': {
    description: 'path of the component project; written at publication',
    regex: '^[A-Za-z0-9_][A-Za-z0-9._-]*(\\x2f[A-Za-z0-9_][A-Za-z0-9._-]*)+$',
    default: COMPONENTS,
  },
};

export const RUNNER_TAG = {
  description: 'tag of the runners for trusted jobs',
  regex: '^[A-Za-z0-9._-]{1,64}$',
  default: 'gatehouse',
};

/** Inputs of a single step's job. */
const stepInputs = (name: string, prefix: string) => ({
  'job-name': {
    description: 'name of the job, for a pipeline that has this step twice',
    regex: '^[a-z][a-z0-9-]{0,62}$',
    default: `gatehouse-${name}`,
  },
  'job-when': {
    description: 'when it runs: after success of the stages before it, however they ended, or when somebody starts it',
    options: ['on_success', 'always', 'manual'],
    default: 'on_success',
  },
  'job-refs': {
    description: 'where it runs: on protected branches and tags, or on any; a role’s key is on protected ones only',
    options: ['protected', 'any'],
    default: 'protected',
  },
  'artifacts-of': {
    description:
      'list of earlier jobs whose files and dotenv variables it gets; such a variable can bend a job (PATH), so list none that lets others’ code write its dotenv report',
    type: 'array',
    default: [],
  },
  outputs: {
    description: 'what the names of its outputs in later jobs begin with',
    regex: '^[A-Z][A-Z0-9_]{0,40}$',
    default: prefix,
  },
});

/**
 * Shell that fetches the release into a folder outside the checkout and defines `gatehouse`, which runs it, and `fetch TOKEN …`,
 * which is git by a token that no argument of a process and no address shows.
 */
export function fetchRelease(): string {
  return `      # Program, policy and contract.yml are one commit of the component project, fetched by its id: git checks the bytes.
      work=$(mktemp -d)
      fetch() {
        token=$1
        shift
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader \\
          GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'gitlab-ci-token:%s' "$token" | base64 | tr -d '\\n')" git "$@"
      }
      gatehouse() { env -u NODE_OPTIONS node "$work/release/dist/gatehouse.js" "$@"; }
      git init -q "$work/release"
      fetch "\${CI_JOB_TOKEN:-}" -C "$work/release" fetch -q --depth 1 "$CI_SERVER_URL/$[[ inputs.component-project ]].git" '$[[ component.sha ]]'
      git -C "$work/release" checkout -q FETCH_HEAD
`;
}

/** A job that is cancelled leaves a record too: what an action's post step does on GitHub. */
export function afterCancelled(words: string): string {
  return `  after_script:
    - |
      # A job that was cancelled leaves a record that says so.
      test "$CI_JOB_STATUS" = canceled || exit 0
      set -eu
${fetchRelease()}      gatehouse ${words} --cancelled
`;
}

function templateText(command: Command, face: Face): string {
  const fields = fieldsOf(command);
  const inputs = fields.map((field) => [field[0], templateInput(field, face)]);
  const all = {
    ...Object.fromEntries(inputs),
    ...(command.name === 'evidence-emit' ? { 'job-role': roleInput(fields, face.role) } : {}),
    ...(command.name === 'deploy-by-digest' ? { 'cluster-audience': CLUSTER_AUDIENCE } : {}),
    ...stepInputs(command.name, face.outputs ?? 'GATEHOUSE'),
    ...JOB_INPUTS,
    'runner-tag': RUNNER_TAG,
  };
  const role = 'job-role' in all ? '$[[ inputs.job-role ]]' : face.role;
  const header = yaml({ spec: { component: ['sha'], inputs: all } });
  // As one word each: a value that looks like a flag stays a value.
  const flags = fields.map(([name]) => `--${name}=${quoted(name)}`).join(' ');
  return `${NOTE}${header}---
$[[ inputs.job-name ]]:
  stage: $[[ inputs.job-stage ]]
  image: $[[ inputs.job-image ]]
  tags: ["$[[ inputs.runner-tag ]]"]
  inherit: { default: false, variables: false }
  # Of other jobs nothing reaches it: no file, and no variable out of a dotenv report.
  dependencies: $[[ inputs.artifacts-of ]]
  rules:
    - if: $CI_COMMIT_REF_PROTECTED == "true" || "$[[ inputs.job-refs ]]" == "any"
      when: $[[ inputs.job-when ]]
  # The identity of its role: a token that only this job gets, for the environment of that role.
  environment:
    name: gatehouse/${role}
${idTokens(role)}${'cluster-audience' in all ? CLUSTER_TOKEN : ''}
  script:
    - |
      set -eu
      rm -f '$[[ inputs.outputs ]].env'
${fetchRelease()}      gatehouse ${command.name} ${flags} --outputs '$[[ inputs.outputs ]].env'
${command.cancelled === undefined ? '' : afterCancelled(`${command.name} ${flags}`)}  artifacts:
    reports:
      dotenv: $[[ inputs.outputs ]].env
`;
}

function quoted(name: string): string {
  return RUN_TIME.includes(name) ? `"$[[ inputs.${name} ]]"` : `'$[[ inputs.${name} ]]'`;
}

/** The role that a record's type belongs to signs it, so the job has that role's environment. */
function roleInput(fields: Field[], preset: Role) {
  const types = optionsOf(fields.find(([name]) => name === 'type')?.[1] as z.ZodMiniType) ?? [];
  const byRole = Map.groupBy(types, (type) => roleOfType[type as RecordType]);
  const list = [...byRole].map(([role, own]) => `${role}: ${own.join(', ')}`).join('; ');
  return { description: `role that the type belongs to; ${list}`, options: [...byRole.keys()], default: preset };
}

function templateInput(field: Field, { defaults }: Face): Record<string, unknown> {
  const [name, schema] = field;
  const { description } = metaOf(schema);
  const options = optionsOf(schema);
  const preset = defaults[name] ?? defaultOf(field);
  if (options !== null && preset !== null) return { description, options, default: preset };
  if (options !== null && isRequired(field)) return { description, options };
  // An optional choice has no default that GitLab would take among its options.
  const plain = RUN_TIME.includes(name) ? PLAIN_OR_VARIABLE : PLAIN;
  const regex = options === null ? plain : `^(${options.map((option) => option.replaceAll('.', '\\.')).join('|')})?$`;
  return isRequired(field) ? { description, regex } : { description, regex, default: preset ?? '' };
}

/** A choice that always fails in an action, and what the description ends with about it: it speaks of pipelines on GitLab. */
const ONLY_GITLAB = 'as-pipeline';

/** What an action says of an input. GitHub's know no choices, so it names them. */
export function actionSays(schema: z.ZodMiniType): string {
  const [description] = metaOf(schema).description.split(`; ${ONLY_GITLAB}`);
  return [description, choicesOf(schema).replace(`, ${ONLY_GITLAB}`, '')].filter(Boolean).join(' ');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
