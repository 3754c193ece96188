import { BadInput } from '../lib/errors.ts';
import { similar } from '../lib/similar.ts';
import { parseTime } from '../lib/time.ts';
import type { Parameter, ParameterType, Query } from './query-file.ts';
import { timestamp } from './table-file.ts';

/** How a value of each type is written, and what is bound for it; null when it is not one. */
const TYPES: { [type in ParameterType]: { example: string; bind(value: string): string | null } } = {
  text: { example: 'any text', bind: (value) => (value.length <= 1024 ? value : null) },
  time: { example: '2026-01-31T08:00:00Z', bind: (value) => timestamp(parseTime(value)) },
  digest: {
    example: 'sha256:<64 hex>',
    bind: (value) => (/^sha256:[0-9a-f]{64}$/.test(value) ? value : null),
  },
  deploy: {
    example: 'a UUID, as in the column deploy_id',
    bind: (value) => (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) ? value : null),
  },
};

/**
 * The values to bind, in the order of the query's parameters, from words `name=value`. Throws BadInput naming each parameter
 * that is unknown, given twice, missing or of another type. Nothing that is given here ever becomes a part of the SQL.
 */
export function bindings({ name, parameters }: Query, words: readonly string[]): string[] {
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (const word of words) {
    const at = word.indexOf('=');
    const [key, value] = at === -1 ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
    if (value === null) problems.push(`${JSON.stringify(word)} is not name=value`);
    else if (!parameters.some((parameter) => parameter.name === key)) problems.push(unknown(key, parameters));
    else if (given.has(key)) problems.push(`${key} is given twice`);
    else given.set(key, value);
  }
  const bound = parameters.map((parameter) => {
    const value = given.get(parameter.name) ?? parameter.fallback;
    if (value === null || value === '') {
      problems.push(`${parameter.name} is missing: ${parameter.says}`);
      return '';
    }
    const { example, bind } = TYPES[parameter.type];
    const ready = bind(value);
    if (ready === null)
      problems.push(
        `${parameter.name}=${JSON.stringify(value.slice(0, 80))} is no ${parameter.type}: write ${example}`,
      );
    return ready ?? '';
  });
  if (problems.length === 0) return bound;
  throw new BadInput(
    'audit.parameters',
    `query ${name} cannot be asked, its parameters are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}\nSee gatehouse audit query --list`,
  );
}

function unknown(key: string, parameters: readonly Parameter[]): string {
  const names = parameters.map((parameter) => parameter.name);
  const meant = similar(key, names);
  return `there is no parameter ${JSON.stringify(key)}${meant === null ? `; it has ${names.join(', ') || 'none'}` : `; did you mean ${meant}?`}`;
}
