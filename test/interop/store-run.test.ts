import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { findTool } from '../../scripts/tools/find.ts';
import { REPOSITORY, type Site } from '../../src/commands/demo/site.ts';
import { approve } from '../../src/commands/demo/steps.ts';
import { consume } from '../../src/evidence/once.ts';
import { type RegistryServer, startRegistry } from '../../src/registry/server/start.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { as, direct, LAYOUT, laySiteHere, SOURCE_REPORTS, steps, succeed, verdictOf } from '../support/direct.ts';
import { sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';
import { itWith } from '../support/tools.ts';
import { makeBucket, type S3Server, startLocalstack, startVersitygw, urlOf } from './store-servers.ts';

/** One whole run whose evidence and register lie in a locked bucket, and what somebody with rights on the bucket can do to it. */
const SERVERS = [
  { name: 'versitygw', start: startVersitygw },
  { name: 'localstack', start: startLocalstack },
];

describe.each(SERVERS)('a run whose evidence lies in $name', ({ name, start }) => {
  const sandbox = sandboxes();
  const bucket = 'evidence-of-the-demo';
  let server: S3Server;
  let registry: RegistryServer;
  const ending: (() => Promise<void>)[] = [];
  let site: Site;
  let store: Store;
  let image = '';

  beforeAll(async () => {
    if (findTool(name) === null) return;
    const folder = sandbox.folder('s3-run');
    server = await start(folder);
    ending.push(server.stop);
    await makeBucket(server, bucket, { days: 2560 });
    mkdirSync(join(folder, 'registry'));
    registry = await startRegistry({ folder: join(folder, 'registry') });
    ending.push(() => registry.close());
    const url = urlOf(server, bucket);
    site = await laySiteHere(join(folder, 'site'), registry.host, undefined, { url, env: server.env });
    store = openStore(url, server.env);
  }, 240_000);
  afterAll(async () => {
    for (const end of ending.reverse()) await end();
    sandbox.clean();
  });

  const checked = () => ['--store', urlOf(server, bucket), '--trust', writeTrust(sandbox.folder('trust'), site)];
  const verify = () => direct(site, ['ledger', 'verify', ...checked()]);
  const codes = (said: { json: { findings: { code: string; key: string | null }[] } }) =>
    said.json.findings.map(({ code, key }) => `${code} ${key ?? ''}`.trim());
  const keys = async (part: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key, oddity } of store.list('v1/')) if (oddity === null && key.includes(part)) found.push(key);
    return found;
  };
  const named = (key: string) => ({ Bucket: bucket, Key: `evidence/${key}` });

  itWith(name)('goes from opening to a clean ledger', async () => {
    const { json: built } = await succeed(direct(site, ['build-sign', '--phase', 'build', '--layout', LAYOUT]));
    await succeed(steps.open(site));
    const words = ['--layout', LAYOUT, '--digest', built.digest, '--image', `${registry.host}/${REPOSITORY}`];
    image = (await succeed(steps.sign(site, words))).json.image;
    for (const report of SOURCE_REPORTS) await succeed(steps.scan(site, report, null));
    await succeed(steps.scan(site, 'trivy', image));
    await succeed(steps.gate(site, 'promote', image));
    approve(site, '201');
    const { json: decided } = await succeed(steps.gate(site, 'deploy', image));
    await succeed(steps.deploy(site, { decision: decided.key, image }));
    const used = await steps.deploy(site, { decision: decided.key, image });
    expect([used.code, used.text]).toEqual([1, expect.stringContaining('has been used before')]);
    await succeed(steps.seal(site));
    const checkpoint = await succeed(as(site, 'notary', ['ledger', 'checkpoint']));
    expect(checkpoint.json.unread).toEqual([]);
    const report = await verify();
    expect([report.code, report.json.status, codes(report)]).toEqual([0, 'clean', []]);
    expect(report.json.records).toBeGreaterThan(12);
    const shown = await direct(site, ['register', 'show']);
    expect([shown.code, shown.json.register.number]).toEqual([0, 1]);
    const [record] = await keys('-gate.decided-');
    const replayed = await direct(site, ['replay', record as string]);
    expect([replayed.code, replayed.text]).toEqual([0, expect.any(String)]);
  });

  itWith(name)('every object has one version, and none asks for a lock of its own', async () => {
    const { Versions, DeleteMarkers } = await server.admin.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const names = (Versions ?? []).map(({ Key }) => Key);
    expect(names.length).toBeGreaterThan(30);
    expect(new Set(names).size).toBe(names.length);
    expect(DeleteMarkers ?? []).toEqual([]);
  });

  itWith(name)('a record under a delete marker: the gate denies with that reason, the ledger shows it', async () => {
    const [record] = (await keys('-scan.completed-')).filter((key) => key.startsWith('v1/records/'));
    await server.admin.send(new DeleteObjectCommand(named(record as string)));
    const judged = await steps.gate(site, 'deploy', image);
    expect([judged.code, verdictOf(judged)]).toEqual([1, expect.arrayContaining(['scan.complete'])]);
    expect(judged.text).toContain(`record ${record} is hidden by a delete marker`);
    const report = await verify();
    expect(report.code).toBe(1);
    expect(codes(report)).toContain(`HIDDEN ${record}`);
    // The locked version is still the record: nothing is missing but the name.
    expect(codes(report).filter((code) => /^(DELETED|MISSING|MANIFEST)/.test(code))).toEqual([]);
  });

  itWith(name)(
    'another content put over a record: the gate denies, the ledger shows it and keeps to the first',
    async () => {
      const [record] = await keys('-artifact.signed-').then((all) =>
        all.filter((key) => key.startsWith('v1/records/')),
      );
      await server.admin.send(new PutObjectCommand({ ...named(record as string), Body: '{"forged":true}' }));
      const judged = await steps.gate(site, 'deploy', image);
      expect(judged.code).toBe(1);
      expect(verdictOf(judged)).not.toBe('allow');
      const report = await verify();
      expect(codes(report)).toContain(`SHADOWED ${record}`);
      expect(codes(report).filter((code) => code.startsWith('MODIFIED'))).toEqual([]);
      const proof = await direct(site, [
        ...['ledger', 'prove', record as string, '--store', urlOf(server, bucket)],
        ...['--trust', writeTrust(sandbox.folder('trust'), site)],
      ]);
      expect([proof.code, proof.json.problems.map((each: { code: string }) => each.code)]).toEqual([1, ['SHADOWED']]);
    },
  );

  itWith(name)('a pointer under a marker denies: what was said about the image cannot be known', async () => {
    const [pointer] = await keys('v1/by-digest/sha256-').then((all) =>
      all.filter((key) => key.includes('sbom.created')),
    );
    await server.admin.send(new DeleteObjectCommand(named(pointer as string)));
    const judged = await steps.gate(site, 'deploy', image);
    expect(judged.code).toBe(1);
    expect(codes(await verify())).toContain(`HIDDEN ${pointer}`);
  });

  itWith(name)('a register under a marker is no older register: nothing is judged', async () => {
    const [register] = await keys('v1/register/');
    await server.admin.send(new DeleteObjectCommand(named(register as string)));
    const shown = await direct(site, ['register', 'show']);
    expect([shown.code, shown.json.code]).toEqual([1, 'register.odd']);
    expect((await steps.gate(site, 'deploy', image)).code).not.toBe(0);
  });

  itWith(name)('a decision whose mark was hidden is not used twice', async () => {
    const id = '0b6ff0a4-6a0e-4d8c-9b0e-0d0b8a1f0001';
    const [decisionKey] = await keys('-gate.decided-');
    const run = JSON.parse(JSON.stringify(await runOf(store, await keys('v1/once/'))));
    const mark = (opId: string) => ({ decisionKey: decisionKey as string, run, opId });
    await consume(store, id, mark('0b6ff0a4-6a0e-4d8c-9b0e-0d0b8a1f0002'));
    await server.admin.send(new DeleteObjectCommand(named(`v1/once/${id}.json`)));
    const second = consume(store, id, mark('0b6ff0a4-6a0e-4d8c-9b0e-0d0b8a1f0003'));
    // Over a marker LocalStack takes a create-only put, as AWS does, and versitygw refuses it.
    await expect(second).rejects.toMatchObject({
      exit: 1,
      code: name === 'versitygw' ? 'store.hidden' : 'decision.used',
    });
  });

  itWith(name)('the doctor says what the bucket is', async () => {
    const { code, json } = await direct(site, ['doctor']);
    const notOk = json.checks.filter(({ status }: { status: string }) => status !== 'ok');
    expect(notOk.map(({ check, status }: { check: string; status: string }) => `${check} ${status}`)).toEqual([]);
    expect(code).toBe(0);
    expect(await store.get(json.left[0])).not.toBeNull();
    const short = await direct(site, ['doctor', '--retention-years', '8']);
    expect([short.code, JSON.stringify(short.json)]).toEqual([1, expect.stringContaining('2922 days')]);
  });
});

async function runOf(store: Store, marks: string[]): Promise<unknown> {
  const bytes = await store.get(marks[0] as string);
  return JSON.parse((bytes as Buffer).toString()).run;
}

function writeTrust(folder: string, site: Site): string {
  const file = join(folder, 'trust.json');
  const pems = { release: [publicKeyOf(site, 'release')], notary: [publicKeyOf(site, 'notary')] };
  writeFileSync(file, JSON.stringify({ schema: 'gatehouse/trust/1', ...pems, checkpoint: null }));
  return file;
}
