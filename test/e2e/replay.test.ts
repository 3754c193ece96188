import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { parseContract } from '../../src/contract/load-contract.ts';
import type { Attachment } from '../../src/contract/record.ts';
import { putBlob, readAttachment } from '../../src/evidence/blob.ts';
import { judge } from '../../src/gate/judge.ts';
import { loadPolicy } from '../../src/gate/policy.ts';
import { parseJson } from '../../src/lib/json.ts';
import { directoryStore } from '../../src/store/directory.ts';
import { expectRefused, program, type Refused } from '../support/bad-input.ts';
import { signerOfRole } from '../support/direct.ts';
import { drop, forge, playRun, put, recordAt, recordOf, type Scene, storePath } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

describe('replay refuses', () => {
  it.each<Refused>([
    ['no key', () => ['replay'], 2, 'inputs.invalid', /decision: is required/],
    ['a key out of the store', () => ['replay', '../../etc/passwd'], 2, 'replay.key', /is no key of a record/],
    ['a word', () => ['replay', 'x'], 2, 'replay.key', /"x" is no key of a record: give the one that policy-gate said/],
    [
      'a key where nothing is',
      () => ['replay', scene.decisions.deploy.replace(/[0-9a-f]{32}\.json$/, `${'0'.repeat(32)}.json`)],
      1,
      'replay.record',
      /is not in the store/,
    ],
    [
      'a digest of its name that is not of its bytes',
      (site) => {
        const wrong = scene.decisions.deploy.replace(/[0-9a-f]{32}\.json$/, `${'0'.repeat(32)}.json`);
        put(site, wrong, readFileSync(storePath(site, scene.decisions.deploy)));
        return ['replay', wrong];
      },
      1,
      'replay.record',
      /does not have the bytes that its name says/,
    ],
    [
      'a digest that is too short',
      () => ['replay', `sha256:${'0'.repeat(12)}`],
      2,
      'replay.key',
      /is no key of a record/,
    ],
    [
      'a record that is no decision',
      (site) => ['replay', recordOf(site, 'run.opened').key],
      1,
      'replay.decision',
      /cannot replay: it is a record run\.opened/,
    ],
    [
      'a blob',
      (site) => ['replay', recordAt(site, scene.decisions.deploy).attachments[0]?.key as string],
      2,
      'replay.key',
      /is no key of a record/,
    ],
    [
      'a decision that was edited',
      (site) => {
        const path = scene.decisions.deploy;
        put(
          site,
          path,
          readFileSync(storePath(site, path), 'utf8').replace(
            /"sig":"(.)/,
            (_, c) => `"sig":"${c === 'M' ? 'N' : 'M'}`,
          ),
        );
        return ['replay', path];
      },
      1,
      'replay.record',
      /does not have the bytes that its name says/,
    ],
    [
      'a decision whose facts are gone',
      (site) => {
        drop(
          site,
          recordAt(site, scene.decisions.deploy).attachments.find(({ role }) => role === 'facts')?.key as string,
        );
        return ['replay', scene.decisions.deploy];
      },
      1,
      'evidence.blob_missing',
      /is not in the store/,
    ],
    [
      'a decision whose policy was replaced',
      (site) => {
        put(
          site,
          recordAt(site, scene.decisions.deploy).attachments.find(({ role }) => role === 'policy')?.key as string,
          'package gate',
        );
        return ['replay', scene.decisions.deploy];
      },
      1,
      'evidence.blob_changed',
      /is not the content/,
    ],
    [
      'without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return ['replay', scene.decisions.deploy];
      },
      3,
      'store.missing',
      /does not exist/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('decided'), row);
  });
});

describe('replay', () => {
  it.each(['promote', 'deploy'] as const)('of the decision of stage %s has equal bytes', async (stage) => {
    const { code, stdout } = await program(scene.at('decided'), ['replay', scene.decisions[stage]]);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, status: 'equal' });
  });

  it('of a decision by a contract of then, which today would be refused, has equal bytes', async () => {
    const site = scene.at('decided');
    const store = directoryStore(site.path('store'));
    const record = recordAt(site, scene.decisions.deploy);
    const attached = async (role: string) =>
      await readAttachment(store, record.attachments.find((each) => each.role === role) as Attachment);
    const contract = parse((await attached('contract')).toString());
    const breakGlass = { groups: ['leads'], number: 2, 'review-within': '24h' };
    const demanding = Buffer.from(stringify({ ...contract, 'break-glass': breakGlass }));
    const input = { mediaType: 'application/yaml', role: 'contract', verbatim: true };
    const { attachment } = await putBlob(store, demanding, input);
    const decision = judge({
      facts: parseJson(await attached('facts'), 'facts'),
      contract: parseContract(demanding, 'of then'),
      policy: loadPolicy(await attached('policy')),
      now: Date.parse(record.data.now as string),
      id: randomUUID(),
      simulated: false,
    });
    expect(decision.outcome).toBe('allow');
    const attachments = record.attachments.map((each) => (each.role === 'contract' ? attachment : each));
    const changes = { data: { ...record.data, ...decision }, attachments };
    const { key } = await forge(site, record, changes, signerOfRole(site, 'gate'), 'gate');
    const { code, stdout } = await program(site, ['replay', key]);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, status: 'equal' });
  });

  it('of a decision that the facts do not bear is different, whoever signed it', async () => {
    const site = scene.at('decided');
    const record = recordAt(site, scene.decisions.deploy);
    const reasons = (record.data.reasons as { message: string }[]).map((reason, i) =>
      i === 0 ? { ...reason, message: 'all is well' } : reason,
    );
    const { key } = await forge(
      site,
      record,
      { data: { ...record.data, reasons } },
      signerOfRole(site, 'gate'),
      'gate',
    );
    const { code, stdout } = await program(site, ['replay', key]);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, status: 'different' });
  });
});
