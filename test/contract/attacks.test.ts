import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LIST = readFileSync('test/attacks/README.md', 'utf8');
const sources = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('contract/attacks.test.ts'))
  .map((name) => readFileSync(join('test', name), 'utf8'));

/** Numbers of attacks that stand in tests and not in the list, and the other way round; a line that says nothing counts as none. */
function unmatched(texts: string[], list: string): string[] {
  const used = new Set(texts.flatMap((text) => text.match(/\bF\d{2}\b/g) ?? []));
  const listed = [...list.matchAll(/^\| (F\d{2}) \| (?=\S.{20,} \|$)/gm)].map(([, id]) => id as string);
  const twice = listed.filter((id, i) => listed.indexOf(id) !== i);
  return [...used]
    .filter((id) => !listed.includes(id))
    .concat(
      listed.filter((id) => !used.has(id)),
      twice,
    )
    .sort();
}

it('every number of an attack that a test uses is explained, and no other', () => {
  expect(sources.length).toBeGreaterThan(100);
  expect(unmatched(sources, LIST)).toEqual([]);
});

it.each([
  ['used and not explained', [...sources, "it('F00 a new one', …)"], LIST, ['F00']],
  ['explained and not used', sources, `${LIST}| F00 | an attack that nobody plays against us |\n`, ['F00']],
  ['explained twice', sources, `${LIST}| F99 | the label of a runner, once more |\n`, ['F99']],
  ['listed without a word', sources, LIST.replace(/^\| F99 \| .*$/m, '| F99 |  |'), ['F99']],
])('a number that is %s is found', (_, texts, list, found) => {
  expect(unmatched(texts, list)).toEqual(found);
});
