import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBundle } from '../../src/attestation/bundle.ts';
import { attest, CYCLONEDX_TYPE, SIGNATURE_TYPE } from '../../src/attestation/image.ts';
import { PROVENANCE_TYPE } from '../../src/attestation/provenance.ts';
import { REPOSITORY, type Site } from '../../src/commands/demo/site.ts';
import { putBlob, readAttachment } from '../../src/evidence/blob.ts';
import { publishKey } from '../../src/evidence/publish-key.ts';
import { canonicalBytes } from '../../src/lib/canonical.ts';
import { digestOf, hexOf } from '../../src/lib/digest.ts';
import { attachAll, type ReadyAttachment } from '../../src/registry/attach.ts';
import { readAttachments } from '../../src/registry/attachments.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import { readLayout } from '../../src/registry/layout.ts';
import { pushLayout } from '../../src/registry/push-layout.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { directoryStore } from '../../src/store/directory.ts';
import {
  as,
  editContract,
  LAYOUT,
  SOURCE_REPORTS,
  signerOfRole,
  steps,
  succeed,
  verdictOf,
} from '../support/direct.ts';
import {
  drop,
  editPlatform,
  editRegister,
  expectDenial,
  forge,
  hours,
  keysIn,
  playRun,
  pointersTo,
  put,
  recordAt,
  recordOf,
  type Scene,
  scanAll,
  storePath,
  table,
} from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';
import { p256Signer } from '../unit/evidence/sample-ledger.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('gate'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const blobOf = (site: Site, tool: string) =>
  recordOf(site, 'scan.completed', tool).record.attachments[0]?.key as string;

describe('evidence of a scan that is not what it was', () => {
  /** Nothing about the trivy scan is left where it was. */
  const hide = (site: Site) => {
    const { key, record } = recordOf(site, 'scan.completed', 'trivy');
    drop(site, key, ...pointersTo(site, key));
    return { key, record };
  };
  it.each(
    table([
      [
        'F57 its pointer is deleted',
        'scanned',
        (site) => drop(site, ...pointersTo(site, recordOf(site, 'scan.completed', 'trivy').key)),
        ['scan.present'],
      ],
      [
        'F57 it is deleted and its pointer stays',
        'scanned',
        (site) => drop(site, recordOf(site, 'scan.completed', 'trivy').key),
        ['scan.complete'],
      ],
      [
        'F55 one letter of it is changed',
        'scanned',
        (site) => {
          const { key } = recordOf(site, 'scan.completed', 'trivy');
          const bytes = readFileSync(storePath(site, key));
          bytes[bytes.length - 40] = bytes[bytes.length - 40] === 65 ? 66 : 65;
          put(site, key, bytes);
        },
        ['scan.complete'],
      ],
      [
        'F24 it is empty',
        'scanned',
        (site) => put(site, recordOf(site, 'scan.completed', 'trivy').key, ''),
        ['scan.complete'],
      ],
      [
        'F56 it is moved to another run',
        'scanned',
        (site) => {
          const { key } = hide(site);
          const bytes = readFileSync(join(scene.at('scanned').path('store'), key));
          const moved = key.replace('/run=5001/', '/run=4999/');
          put(site, moved, bytes);
          put(
            site,
            `v1/by-digest/${scene.digest.replace(':', '-')}/scan.completed-${'0'.repeat(32)}.json`,
            canonicalBytes({ key: moved, tool: 'trivy' }),
          );
        },
        ['scan.complete'],
      ],
      [
        'F36 the gate’s key signs it',
        'scanned',
        async (site) => forge(site, hide(site).record, {}, signerOfRole(site, 'gate'), 'scan'),
        ['scan.complete'],
      ],
      [
        'F36 the build key signs it',
        'scanned',
        async (site) => forge(site, hide(site).record, {}, signerOfRole(site, 'build'), 'scan'),
        ['scan.complete'],
      ],
      [
        'a key that the contract does not know signs it',
        'scanned',
        async (site) =>
          forge(
            site,
            hide(site).record,
            {},
            { ...signerOfRole(scene.at('ready'), 'release'), keyId: 'demo-scan' },
            'scan',
          ),
        ['scan.complete'],
      ],
      [
        'its report is replaced by a clean one',
        'scanned',
        (site) => put(site, blobOf(site, 'trivy'), '{}'),
        ['scan.complete'],
      ],
      ['its report is deleted', 'scanned', (site) => drop(site, blobOf(site, 'trivy')), ['scan.complete']],
      [
        'it has no report',
        'scanned',
        async (site) => forge(site, hide(site).record, { attachments: [] }, signerOfRole(site, 'scan'), 'scan'),
        ['scan.complete'],
      ],
      [
        'F14 its report is about another image',
        'scanned',
        async (site) => {
          const { record } = hide(site);
          const report = {
            ...JSON.parse(JSON.stringify(await reportOf(site, 'trivy'))),
            subject: { image: `${scene.registry.host}/other@sha256:${'1'.repeat(64)}`, platform: null, commit: null },
          };
          await forge(site, record, { attachments: [await blob(site, report)] }, signerOfRole(site, 'scan'), 'scan');
        },
        ['scan.complete'],
      ],
      [
        'F14 a pointer of this image leads to a record of another',
        'scanned',
        (site) => {
          hide(site);
          put(
            site,
            `v1/by-digest/${scene.digest.replace(':', '-')}/scan.completed-${'0'.repeat(32)}.json`,
            canonicalBytes({ key: recordOf(site, 'scan.completed', 'semgrep').key, tool: 'semgrep' }),
          );
        },
        ['scan.complete', 'scan.present'],
      ],
      [
        'a pointer that is none lies beside the good one',
        'scanned',
        (site) => put(site, `v1/by-digest/${scene.digest.replace(':', '-')}/clean.json`, '{}'),
        ['scan.complete', 'scan.tool'],
      ],
      [
        'a pointer that is not JSON lies beside the good one',
        'scanned',
        (site) =>
          put(site, `v1/by-digest/${scene.digest.replace(':', '-')}/scan.completed-${'0'.repeat(32)}.json`, '{'),
        ['scan.complete', 'scan.tool'],
      ],
      [
        'a pointer out of the store lies beside the good one',
        'scanned',
        (site) =>
          put(
            site,
            `v1/by-digest/${scene.digest.replace(':', '-')}/scan.completed-${'0'.repeat(32)}.json`,
            canonicalBytes({ key: '../../run.json', tool: 'trivy' }),
          ),
        ['scan.complete'],
      ],
      [
        'F02 it ended in the future',
        'scanned',
        async (site) => {
          const { record } = hide(site);
          const report = JSON.parse(JSON.stringify(await reportOf(site, 'trivy')));
          report.execution.finishedAt = hours(1);
          await forge(site, record, { attachments: [await blob(site, report)] }, signerOfRole(site, 'scan'), 'scan');
        },
        ['scan.fresh'],
      ],
      [
        'it is by an importer of container scans and vouches for secrets too',
        'scanned',
        async (site) => {
          const { record } = hide(site);
          const report = { ...(await reportOf(site, 'trivy')), covers: ['container', 'secrets'] };
          await forge(site, record, { attachments: [await blob(site, report)] }, signerOfRole(site, 'scan'), 'scan');
          const { importer } = await reportOf(site, 'gitleaks');
          await editContract(site, ({ scanners: { secrets } }) => {
            secrets.tools.push({ name: 'trivy' });
            secrets.importers = [importer];
          });
        },
        ['scan.origin'],
      ],
      [
        'F58 its record says an earlier time than the store',
        'scanned',
        async (site) => forge(site, hide(site).record, { time: hours(-1) }, signerOfRole(site, 'scan'), 'scan'),
        ['scan.complete'],
      ],
      [
        'F05 an older database finds nothing later',
        'unscanned',
        async (site) => {
          await succeed(steps.scan(site, 'trivy-critical', scene.image));
          await succeed(steps.scan(site, 'trivy', scene.image));
        },
        ['scan.findings'],
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));
});

async function reportOf(site: Site, tool: string): Promise<{ importer?: string }> {
  // From a copy: the attack may have hidden the record by now.
  const [attachment] = recordOf(scene.at('scanned'), 'scan.completed', tool).record.attachments;
  return JSON.parse((await readAttachment(directoryStore(site.path('store')), attachment as never)).toString());
}
async function blob(site: Site, report: object) {
  const store = directoryStore(site.path('store'));
  const input = { mediaType: 'application/json', role: 'report', verbatim: true };
  return (await putBlob(store, canonicalBytes(report), input)).attachment;
}
describe('what is attached to the image', () => {
  /** The sample in another repository, with what was attached to it but for what `keep` drops, and more. */
  const elsewhere = async (name: string, keep: (type: string) => boolean, more: ReadyAttachment[] = []) => {
    const { registry, repository, digest } = parseReference(scene.image);
    const client = createRegistryClient({ registry });
    const other = `${repository}-${name}`;
    const [top] = await pushLayout(client, readLayout(LAYOUT), other);
    const kept: ReadyAttachment[] = (await readAttachments(client, repository, digest)).flatMap((attachment) => {
      if (attachment.kind !== 'bundle') return [];
      const { predicateType } = JSON.parse(parseBundle(attachment.bytes, 'bundle').payload.toString('utf8'));
      return keep(predicateType) ? [{ bundleBytes: attachment.bytes, predicateType }] : [];
    });
    const { mediaType, size } = top as NonNullable<typeof top>;
    await attachAll(client, other, { mediaType, digest, size }, [...kept, ...more], Date.now());
    return `${registry}/${other}@${digest}`;
  };
  const without = (type: string) => (each: string) => each !== type;
  const statementBy = async (site: Site, role: string, type: string, predicate: object, digest = scene.digest) =>
    await attest(signerOfRole(site, role), { name: `${scene.registry.host}/${REPOSITORY}`, digest }, type, {
      ...predicate,
    });
  /** The record that gives a statement its time: whoever has the build key can write one. */
  const named = async (site: Site, digest: string) => {
    const { record } = recordOf(site, 'artifact.signed');
    const statements = [{ predicateType: CYCLONEDX_TYPE, digest }];
    await forge(site, record, { data: { ...record.data, statements } }, signerOfRole(site, 'build'), 'build');
  };
  const SBOM = { bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library', name: 'x' }] };
  const provenanceOf = async () => {
    const { repository, digest } = parseReference(scene.image);
    for (const each of await readAttachments(
      createRegistryClient({ registry: scene.registry.host }),
      repository,
      digest,
    )) {
      if (each.kind !== 'bundle') continue;
      const statement = JSON.parse(parseBundle(each.bytes, 'bundle').payload.toString('utf8'));
      if (statement.predicateType === PROVENANCE_TYPE) return statement.predicate;
    }
    throw new Error('the image has no provenance');
  };
  const nothing = () => {};

  it.each(
    table([
      [
        'F38 provenance and SBOM, but no signature',
        'scanned',
        nothing,
        ['signature.build'],
        { image: () => elsewhere('unsigned', without(SIGNATURE_TYPE)) },
      ],
      ['no SBOM', 'scanned', nothing, ['sbom.present'], { image: () => elsewhere('no-sbom', without(CYCLONEDX_TYPE)) }],
      [
        'no provenance',
        'scanned',
        nothing,
        ['provenance.present'],
        { image: () => elsewhere('no-provenance', without(PROVENANCE_TYPE)) },
      ],
      [
        'nothing at all',
        'scanned',
        nothing,
        ['provenance.present', 'sbom.present', 'signature.build'],
        { image: () => elsewhere('bare', () => false) },
      ],
      [
        'F36 provenance by the scan key',
        'scanned',
        nothing,
        ['provenance.present'],
        {
          image: async (site) =>
            elsewhere('scan-key', without(PROVENANCE_TYPE), [
              await statementBy(site, 'scan', PROVENANCE_TYPE, await provenanceOf()),
            ]),
        },
      ],
      [
        'F36 a signature by the gate key',
        'scanned',
        nothing,
        ['signature.build'],
        {
          image: async (site) =>
            elsewhere('gate-key', without(SIGNATURE_TYPE), [await statementBy(site, 'gate', SIGNATURE_TYPE, {})]),
        },
      ],
      [
        'F36 all of it by the build key of another repository, which says that this one built it',
        'scanned',
        nothing,
        ['provenance.present', 'sbom.present', 'signature.build'],
        {
          image: async (site) => {
            const signer = p256Signer('other-build');
            await publishKey(directoryStore(site.path('store')), signerOfRole(site, 'release'), {
              ...{ schema: 'gatehouse/key/1', id: signer.keyId, role: 'build', publicKey: signer.publicKeyPem },
              ...{ repositories: ['8'], from: hours(-1), until: null, revokedAt: null },
            });
            const subject = { name: `${scene.registry.host}/${REPOSITORY}`, digest: scene.digest };
            const made = [
              await attest(signer, subject, SIGNATURE_TYPE, {}),
              await attest(signer, subject, PROVENANCE_TYPE, await provenanceOf()),
              await attest(signer, subject, CYCLONEDX_TYPE, SBOM),
            ];
            const { record } = recordOf(site, 'artifact.signed');
            const statements = made.map(({ predicateType, digest }) => ({ predicateType, digest }));
            const changes = { run: { ...record.run, repositoryId: '8' }, data: { ...record.data, statements } };
            await forge(site, record, changes, signer, 'build');
            return await elsewhere('foreign-key', () => false, made);
          },
        },
      ],
      [
        'F41 a signature by the build key that no record names, so that it has no time',
        'scanned',
        nothing,
        ['signature.build'],
        {
          image: async (site) =>
            elsewhere('no-time', without(SIGNATURE_TYPE), [await statementBy(site, 'build', SIGNATURE_TYPE, {})]),
        },
      ],
      [
        'F14 an SBOM of another image',
        'scanned',
        nothing,
        ['sbom.present'],
        {
          image: async (site) => {
            const sbom = await statementBy(site, 'build', CYCLONEDX_TYPE, SBOM, `sha256:${'1'.repeat(64)}`);
            await named(site, sbom.digest);
            return await elsewhere('other-sbom', without(CYCLONEDX_TYPE), [sbom]);
          },
        },
      ],
      [
        'an SBOM without components',
        'scanned',
        nothing,
        ['sbom.present'],
        {
          image: async (site) => {
            const sbom = await statementBy(site, 'build', CYCLONEDX_TYPE, { ...SBOM, components: [] });
            await named(site, sbom.digest);
            return await elsewhere('empty-sbom', without(CYCLONEDX_TYPE), [sbom]);
          },
        },
      ],
      [
        'an SBOM of no known format',
        'scanned',
        nothing,
        ['sbom.present'],
        {
          image: async (site) => {
            const sbom = await statementBy(site, 'build', CYCLONEDX_TYPE, { ...SBOM, specVersion: '9.9' });
            await named(site, sbom.digest);
            return await elsewhere('odd-sbom', without(CYCLONEDX_TYPE), [sbom]);
          },
        },
      ],
      [
        'F41 the record that gives the statements their time is deleted',
        'scanned',
        (site) => {
          const { key } = recordOf(site, 'artifact.signed');
          drop(site, key, ...pointersTo(site, key));
        },
        ['evidence.recorded', 'provenance.present', 'sbom.present', 'signature.build'],
      ],
      [
        'that record names no statements',
        'scanned',
        async (site) => {
          const { key, record } = recordOf(site, 'artifact.signed');
          drop(site, key, ...pointersTo(site, key));
          await forge(site, record, { data: { statements: 'all of them' } }, signerOfRole(site, 'build'), 'build');
        },
        ['provenance.present', 'sbom.present', 'signature.build'],
      ],
      [
        'F41 the build key was revoked before it signed',
        'scanned',
        (site) =>
          editRegister(site, ({ keys }) => ({
            keys: keys.map((key) => (key.id === 'demo-build' ? { ...key, revokedAt: key.from } : key)),
          })),
        ['evidence.recorded', 'provenance.present', 'sbom.present', 'signature.build'],
      ],
      [
        'F41 the window of the build key had ended',
        'scanned',
        (site) =>
          editRegister(site, ({ keys }) => ({
            keys: keys.map((key) => (key.id === 'demo-build' ? { ...key, until: key.from } : key)),
          })),
        ['evidence.recorded', 'provenance.present', 'sbom.present', 'signature.build'],
      ],
      [
        'it is of a digest that is revoked',
        'scanned',
        (site) =>
          editRegister(site, () => ({
            revokedDigests: [{ digest: scene.digest, reason: 'malware', since: hours(-1) }],
          })),
        ['subject.revoked'],
      ],
      [
        'it was built beside the key',
        'opened',
        async (site) => {
          await succeed(
            as(site, 'build', [
              'build-sign',
              '--phase',
              'all',
              '--layout',
              LAYOUT,
              '--image',
              `${scene.registry.host}/together`,
              '--run',
              site.path('run.json'),
            ]),
          );
          await scanAll(site, `${scene.registry.host}/together@${scene.digest}`);
        },
        ['provenance.isolation'],
        { image: () => `${scene.registry.host}/together@${scene.digest}` },
      ],
      [
        'it was built from another commit',
        'scanned',
        async (site) => {
          await otherRun(site);
          for (const report of SOURCE_REPORTS) await succeed(steps.scan(site, report, null));
        },
        ['provenance.source'],
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));

  it('it is in a registry that the contract does not list: that registry is not asked, and the refusal is on record', async () => {
    const site = scene.at('scanned');
    await editContract(site, (contract) => contract.registries.splice(0, 1, 'registry.example.org'));
    const before = new Set(keysIn(site));
    const said = await steps.gate(site, 'promote', scene.image);
    expect({ code: said.code, verdict: verdictOf(said) }).toEqual({ code: 1, verdict: 'registry.not_listed' });
    const added = keysIn(site).filter((key) => key.startsWith('v1/records/') && !before.has(key));
    expect(added.map((key) => recordAt(site, key))).toMatchObject([
      { type: 'gate.decided', outcome: 'error', data: { error: 'registry.not_listed' } },
    ]);
  });

  /** Another run, of another commit of the same branch, opened in the same store. */
  const otherRun = async (site: Site) => {
    const sha = 'e'.repeat(40);
    editPlatform(site, (platform) => {
      const [commit, run] = [platform.commits[0], platform.runs[0]] as [
        (typeof platform.commits)[0],
        (typeof platform.runs)[0],
      ];
      platform.commits.push({ ...commit, sha });
      platform.runs.push({ ...run, id: '5002', sha });
    });
    rmSync(site.path('run.json'));
    await succeed(steps.open(site));
  };

  it('F14 an index whose child is not signed', async () => {
    const site = scene.at('opened');
    const { folder, digest, child } = indexLayout(sandbox.folder('index'));
    const name = `${scene.registry.host}/care/index`;
    await succeed(steps.sign(site, ['--layout', folder, '--digest', digest, '--image', name]));
    await scanAll(site, `${name}@${child}`);
    expect(verdictOf(await steps.gate(site, 'promote', `${name}@${digest}`))).toBe('allow');
    // The same index where somebody pushed it, with all that was attached to the index and nothing to its child.
    const client = createRegistryClient({ registry: scene.registry.host });
    const [top] = await pushLayout(client, readLayout(folder), 'care/index-2');
    const bundles = (await readAttachments(client, 'care/index', digest)).flatMap((each) =>
      each.kind === 'bundle' ? [{ bundleBytes: each.bytes, predicateType: typeOf(each.bytes) }] : [],
    );
    const { mediaType, size } = top as NonNullable<typeof top>;
    await attachAll(client, 'care/index-2', { mediaType, digest, size }, bundles, Date.now());
    const said = await steps.gate(site, 'promote', `${scene.registry.host}/care/index-2@${digest}`);
    expect(verdictOf(said)).toEqual(['provenance.present', 'sbom.present', 'signature.build']);
    expect(JSON.stringify(said.json)).toContain(`${child} has no signature by role build`);
  });
});

function typeOf(bundle: Buffer): string {
  return JSON.parse(parseBundle(bundle, 'bundle').payload.toString('utf8')).predicateType;
}

/** The sample behind an index of its own. */
function indexLayout(folder: string): { folder: string; digest: string; child: string } {
  cpSync(LAYOUT, folder, { recursive: true });
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  const { mediaType, digest: child, size } = index.manifests[0];
  const manifests = [{ mediaType, digest: child, size, platform: { os: 'linux', architecture: 'amd64' } }];
  const type = 'application/vnd.oci.image.index.v1+json';
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
  const digest = digestOf(bytes);
  writeFileSync(join(folder, 'blobs', 'sha256', hexOf(digest)), bytes);
  writeFileSync(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: type, digest, size: bytes.length }] }),
  );
  return { folder, digest, child };
}
