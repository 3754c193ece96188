import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { actionSays } from '../../scripts/faces.ts';
import { commands } from '../../src/commands/catalogue.ts';
import type { Command } from '../../src/commands/command.ts';
import { metaOf } from '../../src/commands/inputs.ts';
import type * as z from '../../src/lib/zod.ts';
import { launcherOf, startAction } from '../support/runner.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** Inputs that only a GitLab job has. */
const GITLAB_ONLY = new Set([
  ...['job-name', 'job-stage', 'job-image', 'job-when', 'job-refs', 'job-role', 'runner-tag'],
  ...['artifacts-of', 'outputs', 'cluster-audience', 'component-project'],
]);

interface Face {
  inputs: Record<string, { description?: string; required?: boolean; default?: unknown }>;
  outputs?: string[];
  says(schema: z.ZodMiniType): string;
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
      .filter(([name, schema]) => name in face.inputs && face.inputs[name]?.description !== face.says(schema))
      .map(([name]) => `${name} is described otherwise`),
  ];
}

const actionFace = (text: string): Face => {
  const { inputs, outputs } = parse(text);
  return { inputs: inputs ?? {}, outputs: Object.keys(outputs ?? {}), says: actionSays };
};
const templateFace = (text: string): Face => {
  const [header] = parseAllDocuments(text);
  const { spec } = (header as { toJS(): { spec: { inputs: Face['inputs'] } } }).toJS();
  const inputs = Object.fromEntries(Object.entries(spec.inputs).filter(([name]) => !GITLAB_ONLY.has(name)));
  return { inputs, says: (schema) => metaOf(schema).description };
};

/**
 * What is wrong with what an action.yml has the runner start. Without inputs each main process stops with a remark under its own
 * name and leaves word for the post process that it came to its end; a post process that gets this word is silent, and leaves
 * none. A command that records nothing when it is cancelled has no post process.
 */
async function launcherFaults(command: Command, text: string): Promise<string[]> {
  const { name } = command;
  const { using, post: afterwards } = parse(text).runs;
  const faults = using === 'node24' ? [] : [`runs on ${using}`];
  if ((afterwards === undefined) !== (command.cancelled === undefined)) faults.push('has or lacks a post process');
  const phases = (['main', 'post'] as const).filter((phase) => phase === 'main' || afterwards !== undefined);
  const files = phases.map((phase) => launcherOf(name, phase, text));
  faults.push(...files.filter((file) => !existsSync(file)).map((file) => `${file} is not in the bundle`));
  if (faults.length > 0) return faults;
  const [main, post] = files as [string, string | undefined];
  const first = await startAction(main, {}, sandbox.folder('main'));
  if (!first.log.includes(`::error title=gatehouse ${name}::`)) faults.push('main is not this action');
  if (first.state['STATE_gatehouse-ended'] !== 'true') faults.push('main leaves no word for post');
  if (post === undefined) return faults;
  const last = await startAction(post, {}, sandbox.folder('post'), { 'STATE_gatehouse-ended': 'true' });
  if (last.code !== 0 || last.log !== '') faults.push('post does not end silently after main');
  if (Object.keys(last.state).length > 0 || !post.endsWith(`/${name}-post.js`))
    faults.push('post is not this action’s');
  return faults;
}

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

  it('runs its own launchers on node24: both are in the bundle and start', async () => {
    expect(await launcherFaults(await load(name), actionText(name))).toEqual([]);
  });

  it('reads nothing from expressions inside a script', () => {
    expect(actionText(name)).not.toMatch(/\$\{\{/);
  });
});

it('components are the actions, and the two halves of a pipeline on GitLab', () => {
  expect(readdirSync('gitlab-components/templates').sort()).toEqual([...names, 'child', 'promote'].sort());
});

it('docs/contracts.md names the inputs that only GitLab has, and no others', () => {
  const page = readFileSync('docs/contracts.md', 'utf8');
  const [, named = ''] = /\*\*Inputs that only GitLab has\*\*([\s\S]*?)They begin/.exec(page) ?? [];
  const words = [...named.matchAll(/`([a-z-]+)`/g)].map(([, word]) => word as string);
  expect(words.filter((word) => word !== 'evidence-emit').sort()).toEqual([...GITLAB_ONLY].sort());
});

describe('planted differences are found', () => {
  it.each([
    ['a missing input', { inputs: {} }, 'stage is missing'],
    ['an unknown input', { inputs: { speed: {} } }, 'speed is unknown'],
    ['facts from a workflow', { inputs: { facts: {} } }, 'facts belongs on the command line only'],
    ['another description', { inputs: { stage: { description: 'x' } } }, 'stage is described otherwise'],
  ])('%s', async (_, face, problem) => {
    expect(differences(await load('policy-gate'), { ...face, says: actionSays })).toContain(problem);
  });
});

describe('planted launchers are found', () => {
  it.each([
    ['another Node', 'using: node24', 'using: node20', 'runs on node20'],
    ['a main that is not there', '/scan.js', '/scans.js', expect.stringMatching(/scans\.js is not in the bundle$/)],
    [
      'a post that is not there',
      '/scan-post.js',
      '/scan-end.js',
      expect.stringMatching(/scan-end\.js is not in the bundle$/),
    ],
    ['no post at all', '  post: ../../dist/scan-post.js\n', '', 'has or lacks a post process'],
    ['the main of another action', '/scan.js', '/policy-gate.js', 'main is not this action'],
    ['a post as main', '/scan.js', '/scan-post.js', 'main leaves no word for post'],
    ['a chunk as main', '/scan.js', '/index.js', 'main is not this action'],
    ['a main as post', '/scan-post.js', '/scan.js', 'post does not end silently after main'],
    ['the post of another action', '/scan-post.js', '/policy-gate-post.js', 'post is not this action’s'],
  ])('%s', async (_, from, to, fault) => {
    const text = actionText('scan');
    expect(text).toContain(from);
    expect(await launcherFaults(await load('scan'), text.replace(from, to))).toContainEqual(fault);
  });
});
