/**
 * The faces of the components, out of their input schemas: action.yml for GitHub, template.yml for GitLab. Names, descriptions,
 * choices and defaults stand in the schema alone.
 */
import { stringify } from 'yaml';
import { commands } from '../src/commands/catalogue.ts';
import type { Command } from '../src/commands/command.ts';
import { metaOf } from '../src/commands/inputs.ts';
import type { Role } from '../src/contract/roles.ts';
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
}

export const FACES: Readonly<Record<string, Face>> = {
  'build-sign': { title: 'build and sign', icon: 'package', role: 'build', defaults: { phase: 'sign' } },
  scan: { title: 'scan', icon: 'search', role: 'scan', defaults: { phase: 'record' } },
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

function optionsOf(schema: z.ZodMiniType): readonly string[] | null {
  const { options, def } = schema as { options?: readonly string[]; def: { innerType?: z.ZodMiniType } };
  return options ?? (def.innerType === undefined ? null : optionsOf(def.innerType));
}

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
        // GitHub's inputs of actions know no choices.
        description: [metaOf(schema).description, choicesOf(schema)].filter(Boolean).join(' '),
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

/** Shell that fetches the release into a folder outside the checkout and defines `gatehouse`, which runs it. */
export function fetchRelease(): string {
  return `      # Program, policy and contract.yml are one commit of the component project, fetched by its id: git checks the bytes.
      work=$(mktemp -d)
      fetch() {
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader \\
          GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'gitlab-ci-token:%s' "\${CI_JOB_TOKEN:-}" | base64 | tr -d '\\n')" git "$@"
      }
      gatehouse() { env -u NODE_OPTIONS node "$work/release/dist/gatehouse.js" "$@"; }
      git init -q "$work/release"
      fetch -C "$work/release" fetch -q --depth 1 "$CI_SERVER_URL/$[[ inputs.component-project ]].git" '$[[ component.sha ]]'
      git -C "$work/release" checkout -q FETCH_HEAD
`;
}

function templateText(command: Command, face: Face): string {
  const fields = fieldsOf(command);
  const inputs = fields.map((field) => [field[0], templateInput(field, face)]);
  const header = yaml({ spec: { component: ['sha'], inputs: { ...Object.fromEntries(inputs), ...JOB_INPUTS } } });
  const flags = fields.map(([name]) => `--${name} '$[[ inputs.${name} ]]'`).join(' ');
  return `${NOTE}${header}---
gatehouse-${command.name}:
  stage: $[[ inputs.job-stage ]]
  image: $[[ inputs.job-image ]]
  # The identity of role ${face.role}: a token that only this job gets, for the environment of its role.
  environment:
    name: gatehouse/${face.role}
  id_tokens:
    GATEHOUSE_ID_TOKEN:
      aud: gatehouse
  script:
    - |
      set -eu
${fetchRelease()}      gatehouse ${command.name} ${flags}
`;
}

function templateInput(field: Field, { defaults }: Face): Record<string, unknown> {
  const [name, schema] = field;
  const { description } = metaOf(schema);
  const options = optionsOf(schema);
  const preset = defaults[name] ?? defaultOf(field);
  if (options !== null && preset !== null) return { description, options, default: preset };
  if (options !== null && isRequired(field)) return { description, options };
  // An optional choice has no default that GitLab would take among its options.
  const regex = options === null ? PLAIN : `^(${options.map((option) => option.replaceAll('.', '\\.')).join('|')})?$`;
  return isRequired(field) ? { description, regex } : { description, regex, default: preset ?? '' };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
