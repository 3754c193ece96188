import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expectRefused, program, type Refused } from '../support/bad-input.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('doctor'), resolve('build/dist'), 'opened');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const said = async (...given: Parameters<typeof program>) => {
  const { code, stdout } = await program(...given);
  return { code, json: JSON.parse(stdout) };
};

describe('doctor of a directory', () => {
  it('finds it tamper-evident only: weak in profile local, and says what it left behind', async () => {
    const site = scene.at('opened');
    const { code, json } = await said(site, ['doctor']);
    expect([code, json.status, json.retentionYears]).toEqual([0, 'fit', 7]);
    expect(json.checks.map(({ check, status }: { check: string; status: string }) => [check, status])).toEqual([
      ['create only', 'ok'],
      ['kept', 'ok'],
      ['lock', 'weak'],
    ]);
    expect(json.checks[2].found).toContain('tamper-evident only');
    expect(json.left).toEqual([expect.stringMatching(/^v1\/probe\/[0-9a-f-]{36}\.json$/)]);
  });

  it('leaves nothing that the ledger minds, and nothing else may lie among it', async () => {
    const site = scene.at('opened');
    const { json: doctored } = await said(site, ['doctor']);
    const trust = join(sandbox.folder('trust'), 'trust.json');
    const pems = { release: [publicKeyOf(site, 'release')], notary: [publicKeyOf(site, 'notary')] };
    writeFileSync(trust, JSON.stringify({ schema: 'gatehouse/trust/1', ...pems, checkpoint: null }));
    const verify = ['ledger', 'verify', '--store', `file://${site.path('store')}`, '--trust', trust];
    expect((await said(site, verify)).json.findings).toEqual([]);
    mkdirSync(site.path('store', 'v1', 'probe'), { recursive: true });
    writeFileSync(site.path('store', 'v1', 'probe', 'notes.json'), '{"schema":"gatehouse/probe/1"}');
    const { json } = await said(site, verify);
    expect(json.findings).toMatchObject([{ code: 'UNEXPECTED_OBJECT', key: 'v1/probe/notes.json' }]);
    expect(doctored.left).toHaveLength(1);
  });
});

describe('doctor refuses', () => {
  it.each<Refused>([
    [
      'years that are no number',
      () => ['doctor', '--retention-years', 'seven'],
      2,
      'inputs.retention_years',
      /whole number/,
    ],
    ['a store of another kind', () => ['doctor', '--store', 'gs://evidence'], 2, 'store.scheme', /not supported/],
    ['a bucket without a region', () => ['doctor', '--store', 's3://evidence/prod'], 2, 'store.url', /region=/],
    [
      'a bucket without credentials',
      () => ['doctor', '--store', 's3://evidence/prod?region=eu-central-1'],
      2,
      'store.credentials',
      /AWS_ACCESS_KEY_ID/,
    ],
    ['a folder that is not there', () => ['doctor', '--store', 'file:///nonexistent/x'], 3, 'store.missing', /mkdir/],
    ['a platform where there is none', () => ['doctor', '--platform'], 2, 'inputs.platform', /no GitHub or GitLab/],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });
});
