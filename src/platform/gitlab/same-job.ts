import { parse } from 'yaml';
import { BadInput, Denied, messageOf } from '../../lib/errors.ts';
import { parseYaml } from '../../lib/yaml.ts';

/** A component as its template.yml has it: the jobs with `$[[ … ]]` in their texts, and what each input may be. */
export interface Template {
  /** Path of the project that publishes it. */
  project: string;
  inputs: Map<string, RegExp>;
  jobs: Map<string, unknown>;
  /** Names of those that run where another pipeline started this one; the others are for what is not merged. */
  started: string[];
}

/** The rule of these jobs. */
export const STARTED = '$CI_PIPELINE_SOURCE == "pipeline"';

/** Reads a template of ours. Throws BadInput where it is none. */
export function readTemplate(bytes: Uint8Array, what: string): Template {
  const { documents } = parseYaml(bytes, { what, code: 'template.syntax' });
  const [header, body] = documents.map((document) => document.toJS() as Record<string, unknown>);
  const spec = header?.spec as
    | { inputs?: Record<string, { regex?: string; options?: string[]; default?: string }> }
    | undefined;
  if (spec?.inputs === undefined || body === undefined || documents.length !== 2)
    throw new BadInput('template.syntax', `${what} is no component: it has no spec with inputs and jobs`);
  const patterns = Object.entries(spec.inputs).map(([name, { regex, options }]): [string, RegExp] => {
    if (options !== undefined) return [name, oneOf(options)];
    if (regex === undefined) throw new BadInput('template.syntax', `${what}: input ${name} may be anything`);
    return [name, new RegExp(regex)];
  });
  const { 'component-project': { default: project } = {} } = spec.inputs;
  if (project === undefined) throw new BadInput('template.syntax', `${what} does not say where it is published`);
  const jobs = Object.entries(body) as [string, { rules?: { if?: string }[] }][];
  const started = jobs.filter(([, { rules = [] }]) => rules.some((rule) => rule.if === STARTED)).map(([name]) => name);
  return { project, inputs: new Map(patterns), jobs: new Map(jobs), started };
}

/**
 * Throws Denied `children.job_changed` unless each job of the template stands in a project's merged configuration exactly as
 * it does in the template, with its inputs filled in by one allowed value each: those that `only` names (`inputs.…`,
 * `component.sha`) by one of its list, the others by what the template takes. Our jobs inherit no defaults and no global
 * variables, so what else the configuration holds has no say in them, but for the variables of workflow rules, which are
 * refused. What the project's settings set at run time no configuration shows.
 */
export function requireSameJobs(template: Template, merged: string, only: Only, path: string): void {
  const configuration = readMerged(merged, path);
  const filled = new Map<string, string>();
  for (const [name, ours] of template.jobs) {
    const theirs = Object.hasOwn(configuration, name) ? configuration[name] : undefined;
    const problem = theirs === undefined ? 'is not in it' : difference(ours, theirs, name, { template, filled, only });
    if (problem !== null)
      throw new Denied(
        'children.job_changed',
        `in the configuration of ${path} job ${name} is not our component’s: ${problem}; include the component at the parent’s own commit, have its scan run in an image that the parent names (scan-images), and define no job of its names`,
      );
  }
  const rules = (configuration.workflow as { rules?: unknown } | null | undefined)?.rules;
  if (Array.isArray(rules) && rules.some((rule) => typeof rule === 'object' && rule !== null && 'variables' in rule))
    throw new Denied(
      'children.job_changed',
      `the configuration of ${path} sets variables in its workflow rules, which would reach our jobs: set them in jobs of your own`,
    );
}

/** GitLab writes it with Ruby's emitter, which uses aliases for what stands in several places. */
function readMerged(text: string, path: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 1_000, version: '1.1', merge: false });
  } catch (cause) {
    throw new Denied(
      'children.configuration',
      `the merged configuration of ${path} cannot be read: ${messageOf(cause).split('\n')[0]}`,
      cause,
    );
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new Denied('children.configuration', `the merged configuration of ${path} holds no jobs`);
  return document as Record<string, unknown>;
}

/** By a place of the template, the values that it may be filled in with. */
export type Only = Readonly<Record<string, readonly string[]>>;

interface Filling {
  template: Template;
  filled: Map<string, string>;
  only: Only;
}

/** Where two values differ, in words, or null. */
function difference(ours: unknown, theirs: unknown, where: string, filling: Filling): string | null {
  if (typeof ours === 'string') {
    if (typeof theirs !== 'string') return `${where} is no text`;
    return fits(ours, theirs, filling) ? null : `${where} differs`;
  }
  if (typeof ours !== 'object' || ours === null) return ours === theirs ? null : `${where} differs`;
  if (typeof theirs !== 'object' || theirs === null || Array.isArray(ours) !== Array.isArray(theirs))
    return `${where} differs`;
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  for (const key of keys) {
    if (!Object.hasOwn(ours, key)) return `${where}.${key} is added`;
    if (!Object.hasOwn(theirs, key)) return `${where}.${key} is missing`;
    const problem = difference(
      (ours as Record<string, unknown>)[key],
      (theirs as Record<string, unknown>)[key],
      `${where}.${key}`,
      filling,
    );
    if (problem !== null) return problem;
  }
  return null;
}

const PLACE = /\$\[\[ (inputs\.[a-z0-9-]+|component\.sha) \]\]/;

/** Whether a text is the template's with its places filled in: each by a value that is allowed and the same everywhere. */
function fits(ours: string, theirs: string, { template, filled, only }: Filling): boolean {
  const parts = ours.split(PLACE);
  const names = parts.filter((_, i) => i % 2 === 1);
  const allowed = (name: string) =>
    only[name] === undefined ? template.inputs.get(name.slice('inputs.'.length)) : oneOf(only[name]);
  const source = parts.map((part, i) => (i % 2 === 0 ? literal(part) : `(${bare(allowed(part))})`)).join('');
  const found = new RegExp(`^${source}$`).exec(theirs);
  if (found === null) return false;
  return names.every((name, i) => {
    const value = found[i + 1] as string;
    if ((filled.get(name) ?? value) !== value || allowed(name)?.test(value) !== true) return false;
    filled.set(name, value);
    return true;
  });
}

function oneOf(values: readonly string[]): RegExp {
  return new RegExp(`^(?:${values.map(literal).join('|') || '(?!)'})$`);
}

/** Without its anchors and groups: it stands within another pattern. */
function bare(pattern: RegExp | undefined): string {
  return (pattern?.source ?? '(?!)')
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replace(/\((?!\?)/g, '(?:');
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
