import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, odd, type Refused } from '../support/bad-input.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'opened');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const inRun = (site: Site) => ['--run', site.path('run.json')];
const EMIT = ['evidence-emit', '--type', 'run.sealed'];
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const fresh = (type: string, options: object) =>
  (generateKeyPairSync as never as (type: string, options: object) => { privateKey: { export(o: object): string } })(
    type,
    options,
  ).privateKey;

/** One verb stands for all: every stage opens its key the same way. */
describe('a key that is not the role’s', () => {
  it.each<Refused>([
    [
      'another role’s',
      (site) => [...EMIT, ...inRun(site), ...keyFlag(site, 'build')],
      2,
      'key.none',
      /no key of role gate can be used: .*does not belong to the public key demo-gate/,
    ],
    [
      'a stranger’s',
      (site) => [...EMIT, ...inRun(site), ...odd(site, 'k.pem', fresh('ec', { namedCurve: 'P-256' }).export(pkcs8))],
      2,
      'key.none',
      /does not belong/,
    ],
    [
      'P-384',
      (site) => [...EMIT, ...inRun(site), ...odd(site, 'k.pem', fresh('ec', { namedCurve: 'P-384' }).export(pkcs8))],
      2,
      'key.none',
      /does not belong/,
    ],
    [
      'RSA 1024',
      (site) => [...EMIT, ...inRun(site), ...odd(site, 'k.pem', fresh('rsa', { modulusLength: 1024 }).export(pkcs8))],
      2,
      'key.none',
      /does not belong/,
    ],
    [
      'encrypted',
      (site) => [
        ...EMIT,
        ...inRun(site),
        ...odd(
          site,
          'k.pem',
          fresh('ec', { namedCurve: 'P-256' }).export({ ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' }),
        ),
      ],
      2,
      'key.none',
      /is encrypted: a pipeline has nobody to type the passphrase/,
    ],
    [
      'the public half',
      (site) => [
        ...EMIT,
        ...inRun(site),
        ...odd(site, 'k.pem', readFileSync(site.path('fork', 'contract.yml'), 'utf8')),
      ],
      2,
      'key.none',
      /is not a private key in PEM/,
    ],
    [
      'empty',
      (site) => [...EMIT, ...inRun(site), ...odd(site, 'k.pem', '')],
      2,
      'key.none',
      /is not a private key in PEM/,
    ],
    [
      'not there',
      (site) => [...EMIT, ...inRun(site), '--key', 'file:///nonexistent/key.pem'],
      2,
      'key.none',
      /cannot read private key .*there is no such file/,
    ],
    ['a folder', (site) => [...EMIT, ...inRun(site), '--key', 'file:///tmp'], 2, 'key.none', /it is a folder/],
    [
      'without a scheme',
      (site) => [...EMIT, ...inRun(site), '--key', '/tmp/key.pem'],
      2,
      'key.none',
      /does not name a file: write file:key\.pem/,
    ],
    [
      'in a KMS, which the contract alone may name',
      (site) => [...EMIT, ...inRun(site), '--key', 'awskms:///arn:aws:kms:x'],
      2,
      'key.none',
      /a key in AWS KMS is named by url in contract\.yml alone/,
    ],
    [
      'F98 the key itself instead of its file',
      (site) => [...EMIT, ...inRun(site), `--key=${site.keys.get('gate')}`],
      2,
      'key.none',
      /\[redacted:private-key\]/,
    ],
    [
      'not named at all',
      (site) => [...EMIT, ...inRun(site)],
      2,
      'key.none',
      /has no url in the contract and no --key was given/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });
});

describe('a run file', () => {
  const file = (site: Site, content: string | Buffer) => {
    writeFileSync(site.path('other.json'), content);
    return ['--run', site.path('other.json')];
  };
  const RUN = { id: '5001', attempt: 1, jobKey: 'local-1', nextStep: 3 };
  it.each<Refused>([
    [
      'that is not named',
      (site) => [...EMIT, ...keyFlag(site, 'gate')],
      2,
      'inputs.run',
      /a local run needs its file: add --run FILE/,
    ],
    [
      'that is not there',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), '--run', '/nonexistent/run.json'],
      2,
      'file.unreadable',
      /cannot read run file .*no such file/,
    ],
    [
      'that is a folder',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), '--run', '/tmp'],
      2,
      'file.unreadable',
      /it is a folder/,
    ],
    [
      'that is empty',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, '')],
      2,
      'json.empty',
      /run file .* is empty/,
    ],
    [
      'that is torn',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, '{"id":"5001","att')],
      2,
      'json.syntax',
      /run file .* is not JSON/,
    ],
    [
      'that is no run file',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, '{"id": 5001}')],
      2,
      'run.file',
      /does not fit its schema: id: expected string/,
    ],
    [
      'with a key that leads elsewhere',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, JSON.stringify({ ...RUN, jobKey: '../../x' }))],
      2,
      'run.file',
      /jobKey/,
    ],
    [
      'of a run that the platform does not know',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, JSON.stringify({ ...RUN, id: '4711' }))],
      2,
      'platform.no_run',
      /knows no run 4711, attempt 1/,
    ],
    [
      'of another attempt',
      (site) => [...EMIT, ...keyFlag(site, 'gate'), ...file(site, JSON.stringify({ ...RUN, attempt: 2 }))],
      2,
      'platform.no_run',
      /knows no run 5001, attempt 2/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });
});

describe('a store', () => {
  const without = (site: Site) => {
    rmSync(site.path('store'), { recursive: true });
    return site;
  };
  it.each<Refused>([
    [
      'that is not there',
      (site) => [...EMIT, ...inRun(without(site)), ...keyFlag(site, 'gate')],
      3,
      'store.missing',
      /store folder .* does not exist: create it/,
    ],
    [
      'that is a file',
      (site) => {
        writeFileSync(without(site).path('store'), '');
        return [...EMIT, ...inRun(site), ...keyFlag(site, 'gate')];
      },
      3,
      'store.not_a_folder',
      /is not a folder/,
    ],
    [
      'of a kind that is not supported',
      (site) => {
        const path = site.path('fork', 'contract.yml');
        writeFileSync(path, readFileSync(path, 'utf8').replace('file:../store', 'gs://evidence/prod'));
        return [...EMIT, ...inRun(site), ...keyFlag(site, 'gate')];
      },
      2,
      'store.scheme',
      /this kind of store is not supported/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });
});
