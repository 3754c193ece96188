import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, program, type Refused } from '../support/bad-input.ts';
import { keysIn, playRun, put, recordOf, type Scene, storePath } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const store = (site: Site) => ['--store', `file://${site.path('store')}`];
function trust(site: Site, changes: object = {}): string[] {
  const file = join(sandbox.folder('trust'), 'trust.json');
  const document = {
    schema: 'gatehouse/trust/1',
    release: [publicKeyOf(site, 'release')],
    notary: [publicKeyOf(site, 'notary')],
    checkpoint: null,
    ...changes,
  };
  writeFileSync(file, JSON.stringify(document));
  return ['--trust', file];
}

describe('ledger refuses', () => {
  it.each<Refused>([
    ['no action', () => ['ledger'], 2, 'inputs.invalid', /action: is required/],
    ['another action', () => ['ledger', 'repair'], 2, 'inputs.invalid', /action: expected one of/],
    [
      'to verify without trust',
      (site) => ['ledger', 'verify', ...store(site)],
      2,
      'inputs.trust',
      /needs --store and --trust/,
    ],
    [
      'to verify without a store',
      (site) => ['ledger', 'verify', ...trust(site)],
      2,
      'inputs.trust',
      /needs --store and --trust/,
    ],
    [
      'a store of another kind',
      (site) => ['ledger', 'verify', '--store', 'gs://evidence', ...trust(site)],
      2,
      'store.scheme',
      /is not supported/,
    ],
    [
      'a store by a relative path',
      (site) => ['ledger', 'verify', '--store', 'store', ...trust(site)],
      2,
      'store.scheme',
      /is not supported/,
    ],
    [
      'a store that is not there',
      (site) => ['ledger', 'verify', '--store', 'file:///nonexistent', ...trust(site)],
      3,
      'store.missing',
      /does not exist/,
    ],
    [
      'a trust file that is not there',
      (site) => ['ledger', 'verify', ...store(site), '--trust', '/nonexistent'],
      2,
      'file.unreadable',
      /cannot read trust file/,
    ],
    [
      'trust in nobody',
      (site) => ['ledger', 'verify', ...store(site), ...trust(site, { release: [] })],
      2,
      'trust.file',
      /does not fit its schema: release/,
    ],
    [
      'trust with more in it',
      (site) => ['ledger', 'verify', ...store(site), ...trust(site, { everybody: true })],
      2,
      'trust.file',
      /everybody: unknown key/,
    ],
    [
      'to prove nothing',
      (site) => ['ledger', 'prove', ...store(site), ...trust(site)],
      2,
      'inputs.record',
      /needs the key of a record/,
    ],
    [
      'a checkpoint by the gate',
      (site) => ['ledger', 'checkpoint', ...keyFlag(site, 'gate')],
      2,
      'key.none',
      /does not belong to the public key demo-notary/,
    ],
    ['a checkpoint without a key', () => ['ledger', 'checkpoint'], 2, 'key.none', /no --key was given/],
    [
      'a previous head that is not there',
      (site) => ['ledger', 'checkpoint', ...keyFlag(site, 'notary'), '--previous', '/nonexistent'],
      2,
      'file.unreadable',
      /cannot read tree head/,
    ],
    [
      'a previous head that is none',
      (site) => ['ledger', 'checkpoint', ...keyFlag(site, 'notary'), '--previous', 'package.json'],
      1,
      'checkpoint.log',
      /no checkpoint was made/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('decided'), row);
  });
});

describe('ledger', () => {
  it('copies a head outside, again when asked again, and finds one changed letter by it', async () => {
    const site = scene.at('decided');
    const out = join(sandbox.folder('outside'), 'head');
    const tick = () => program(site, ['ledger', 'checkpoint', ...keyFlag(site, 'notary'), '--out', out]);
    expect((await tick()).code).toBe(0);
    const head = readFileSync(out, 'utf8');
    rmSync(out);
    expect((await tick()).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(head);
    const verify = async () => {
      const { code, stdout } = await program(site, [
        'ledger',
        'verify',
        ...store(site),
        ...trust(site, { checkpoint: head }),
      ]);
      const { status, findings } = JSON.parse(stdout);
      return { code, status, codes: findings.map((finding: { code: string }) => finding.code) };
    };
    // The run is still open: nothing else is to be said.
    const before = await verify();
    const { key } = recordOf(site, 'scan.completed');
    const bytes = readFileSync(storePath(site, key));
    bytes[100] = bytes[100] === 65 ? 66 : 65;
    put(site, key, bytes);
    expect(before.codes).not.toContain('MODIFIED');
    expect(await verify()).toMatchObject({ code: 1, status: 'findings', codes: expect.arrayContaining(['MODIFIED']) });
  });

  it('says a finding about no object without a gap where its key would be', async () => {
    const site = scene.at('decided');
    const out = join(sandbox.folder('outside'), 'head');
    await program(site, ['ledger', 'checkpoint', ...keyFlag(site, 'notary'), '--out', out]);
    const empty = ['--store', `file://${sandbox.folder('empty')}`];
    const words = ['ledger', 'verify', ...empty, ...trust(site, { checkpoint: readFileSync(out, 'utf8') })];
    const { code, stderr } = await program(site, words);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^1 finding: .*\n✖ LOG_ENTRIES_[A-Z_]+: the checkpoint/)]);
  });

  it('leaves nothing in the way of the next head when it cannot be copied', async () => {
    const site = scene.at('decided');
    const failed = await program(site, [
      'ledger',
      'checkpoint',
      ...keyFlag(site, 'notary'),
      '--out',
      '/nonexistent/head',
    ]);
    expect(failed.code).toBe(2);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      code: 'file.unwritable',
      message: expect.stringContaining('/nonexistent/head'),
    });
    const out = join(sandbox.folder('outside'), 'head');
    expect((await program(site, ['ledger', 'checkpoint', ...keyFlag(site, 'notary'), '--out', out])).code).toBe(0);
    expect(existsSync(out)).toBe(true);
    expect(keysIn(site).filter((key) => key.startsWith('v1/log/'))).toHaveLength(1);
  });
});
