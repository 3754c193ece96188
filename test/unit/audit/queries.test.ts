import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../../src/audit/ask.ts';
import { buildIndex } from '../../../src/audit/build-index.ts';
import { type OpenIndex, openIndex } from '../../../src/audit/open-index.ts';
import { queries, queryOf } from '../../../src/audit/queries.ts';
import { proveRecord } from '../../../src/evidence/prove.ts';
import { openStore } from '../../../src/store/store.ts';
import { type AuditScene, playAudit, settled } from '../../support/audit-scene.ts';
import { sandboxes } from '../../support/sandbox.ts';

const GOLDEN = 'test/fixtures/audit';
const sandbox = sandboxes();
let scene: AuditScene;
let index: OpenIndex;
beforeAll(async () => {
  scene = await playAudit(sandbox.folder('audit'));
  const folder = sandbox.folder('index');
  await buildIndex(openStore(scene.store, {}), trust(), folder, Date.now());
  index = await openIndex(folder);
});
afterAll(async () => {
  index.close();
  await scene.scene.registry.close();
  sandbox.clean();
});

const trust = () => JSON.parse(readFileSync(scene.trust, 'utf8'));

/** What each question is asked with; those without parameters that must be given are asked as they are. */
const asked: { [query: string]: (scene: AuditScene) => string[] } = {
  'deploy-dossier': ({ deploys }) => [`deploy=${deploys.allowed}`],
  'deploys-by-digest': ({ digest }) => [`digest=${digest.first}`],
  'deploys-by-environment': () => ['environment=production'],
  'deploys-by-person': () => ['person=dev-1'],
  'images-that-contain-a-component': () => ['name=golang.org/x/crypto'],
  'new-dependencies-of-a-deploy': ({ deploys }) => [`deploy=${deploys.unallowed}`],
};
const answerOf = (name: string, words = asked[name]?.(scene) ?? []) => ask(index.connection, queryOf(name), words);

describe('each question has its answer over a whole store', () => {
  // GATEHOUSE_GOLDEN=write writes the answers anew; they are read by a person before they are committed.
  it.each(queries.map(({ name }) => name))('%s', async (name) => {
    const answer = settled(await answerOf(name));
    const file = join(GOLDEN, `${name}.json`);
    if (process.env.GATEHOUSE_GOLDEN === 'write') {
      mkdirSync(GOLDEN, { recursive: true });
      writeFileSync(file, `${JSON.stringify(answer, null, 2)}\n`);
    }
    expect(existsSync(file)).toBe(true);
    expect(answer).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    expect(answer.rows.length).toBeGreaterThan(0);
  });

  it.each(queries.map(({ name }) => name))(
    'every row of %s carries the key of a record that is proved',
    async (name) => {
      const { rows } = await answerOf(name);
      const keys = new Set(rows.map(({ evidence_key: key }) => key));
      for (const key of keys) {
        const proof = await proveRecord(openStore(scene.store, {}), trust(), String(key), Date.now());
        expect({ key, status: proof.status, problems: proof.problems }).toEqual({
          key,
          status: 'proved',
          problems: [],
        });
      }
    },
  );
});
