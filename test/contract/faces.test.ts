import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { choicesOf } from '../../scripts/faces.ts';
import { commands } from '../../src/commands/catalogue.ts';
import type { Command } from '../../src/commands/command.ts';
import { metaOf } from '../../src/commands/inputs.ts';
import type * as z from '../../src/lib/zod.ts';

/** Inputs that only a GitLab job has. */
const GITLAB_ONLY = new Set(['job-stage', 'job-image', 'job-tags', 'component-project']);

interface Face {
  inputs: Record<string, { description?: string; required?: boolean; default?: unknown }>;
  outputs?: string[];
  /** GitHub's inputs know no choices: the description names them. */
  saysChoices?: boolean;
}

/** How a face differs from its command's schema: names, descriptions, and inputs that belong on the command line only. */
function differences(command: Command, face: Face): string[] {
  const fields = Object.entries(command.inputs.shape) as [string, z.ZodMiniType][];
  const wanted = fields.filter(([, schema]) => metaOf(schema).cliOnly !== true);
  const cliOnly = fields.filter(([, schema]) => metaOf(schema).cliOnly === true).map(([name]) => name);
  return [
    ...wanted.filter(([name]) => !(name in face.inputs)).map(([name]) => `${name} is missing`),
    ...Object.keys(face.inputs)
      .filter((name) => cliOnly.includes(name))
      .map((name) => `${name} belongs on the command line only`),
    ...Object.keys(face.inputs)
      .filter((name) => !fields.some(([field]) => field === name))
      .map((name) => `${name} is unknown`),
    ...wanted
      .filter(([name, schema]) => {
        const described = [metaOf(schema).description, ...(face.saysChoices === true ? [choicesOf(schema)] : [])];
        return name in face.inputs && face.inputs[name]?.description !== described.filter(Boolean).join(' ');
      })
      .map(([name]) => `${name} is described otherwise`),
  ];
}

const actionFace = (text: string): Face => {
  const { inputs, outputs } = parse(text);
  return { inputs: inputs ?? {}, outputs: Object.keys(outputs ?? {}), saysChoices: true };
};
const templateFace = (text: string): Face => {
  const [header] = parseAllDocuments(text);
  const { spec } = (header as { toJS(): { spec: { inputs: Face['inputs'] } } }).toJS();
  return { inputs: Object.fromEntries(Object.entries(spec.inputs).filter(([name]) => !GITLAB_ONLY.has(name))) };
};

const names = readdirSync('actions').sort();
const load = (name: string) => (commands[name] as () => Promise<Command>)();
const actionText = (name: string) => readFileSync(`actions/${name}/action.yml`, 'utf8');
const templateText = (name: string) => readFileSync(`gitlab-components/templates/${name}/template.yml`, 'utf8');

describe.each(names)('%s', (name) => {
  it('has the same inputs as action, component, flags and schema', async () => {
    const command = await load(name);
    expect(differences(command, actionFace(actionText(name)))).toEqual([]);
    expect(differences(command, templateFace(templateText(name)))).toEqual([]);
  });

  it('documents its outputs', async () => {
    expect(actionFace(actionText(name)).outputs).toEqual(Object.keys((await load(name)).outputs ?? {}));
  });

  it('runs its own launcher on node24', () => {
    const { runs } = parse(actionText(name));
    expect(runs).toMatchObject({ using: 'node24', main: `../../dist/${name}.js` });
  });

  it('reads nothing from expressions inside a script', () => {
    expect(actionText(name)).not.toMatch(/\$\{\{/);
  });
});

it('components are the actions, and the two halves of a pipeline on GitLab', () => {
  expect(readdirSync('gitlab-components/templates').sort()).toEqual([...names, 'child', 'promote'].sort());
});

describe('planted differences are found', () => {
  it.each([
    ['a missing input', { inputs: {} }, 'stage is missing'],
    ['an unknown input', { inputs: { speed: {} } }, 'speed is unknown'],
    ['facts from a workflow', { inputs: { facts: {} } }, 'facts belongs on the command line only'],
    ['another description', { inputs: { stage: { description: 'x' } } }, 'stage is described otherwise'],
  ])('%s', async (_, face, problem) => {
    expect(differences(await load('policy-gate'), face)).toContain(problem);
  });
});
