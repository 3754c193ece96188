import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseBundle } from '../../attestation/bundle.ts';
import { attestImage, SIGNATURE_TYPE } from '../../attestation/image.ts';
import { adoptedProvenance } from '../../attestation/provenance.ts';
import { attachAll, type ReadyAttachment } from '../../registry/attach.ts';
import { readAttachments } from '../../registry/attachments.ts';
import { createRegistryClient } from '../../registry/client.ts';
import { readLayout } from '../../registry/layout.ts';
import { pushLayout } from '../../registry/push-layout.ts';
import { parseReference } from '../../registry/reference.ts';
import type { Site } from './site.ts';
import { adopt, approve, decideDeploy, deploy, promote, type Said, scan } from './steps.ts';

/** What the allowed run has left behind, as copies of the site at the points from which refusals branch off. */
export interface Story {
  sample: string;
  reports: string;
  registry: string;
  /** The promoted image, by digest. */
  image: string;
  /** Key of the deploy decision that was used. */
  decision: string;
}
export type Point = 'opened' | 'before the image scan' | 'scanned' | 'promoted' | 'decided' | 'deployed';

export interface Refusal {
  title: string;
  /** Where it leaves the allowed run. */
  from: Point;
  /** The one rule that must fail. */
  rule: string;
  act(site: Site, story: Story): Promise<Said>;
}

export const REFUSALS: Refusal[] = [
  {
    title: 'a newer database knows a critical CVE in the image',
    from: 'before the image scan',
    rule: 'scan.findings',
    act: async (site, { reports, image }) => {
      await scan(site, reports, 'trivy-critical', image);
      return await promote(site, image);
    },
  },
  {
    title: 'the scanner died and left an empty report',
    from: 'before the image scan',
    rule: 'scan.complete',
    act: async (site, { reports, image }) => {
      await scan(site, reports, 'trivy-failed', image);
      return await promote(site, image);
    },
  },
  {
    title: 'somebody wrote a clean report by hand',
    from: 'before the image scan',
    rule: 'scan.origin',
    act: async (site, { reports, image }) => {
      await scan(site, forgeReport(site, reports), 'forged', image);
      return await promote(site, image);
    },
  },
  {
    title: 'the image is signed, but by a key that nobody trusts',
    from: 'scanned',
    rule: 'signature.build',
    act: async (site, story) => await promote(site, await replaceSignature(story)),
  },
  {
    title: 'the image was found in the registry and adopted, not built here',
    from: 'opened',
    rule: 'provenance.built',
    act: async (site, story) => {
      const image = await pushBehindOurBack(story);
      await adopt(site, image);
      for (const name of SOURCE_REPORTS) await scan(site, story.reports, name, null);
      await scan(site, story.reports, 'trivy', image);
      return await promote(site, image);
    },
  },
  {
    title: 'the author approves the own change',
    from: 'promoted',
    rule: 'approval.independent',
    act: async (site, { image }) => {
      approve(site, '101');
      return await decideDeploy(site, image);
    },
  },
  {
    title: 'the manifest names the image by a tag',
    from: 'decided',
    rule: 'deploy.digest',
    act: async (site, { image, decision }) => {
      const { name } = parseReference(image);
      const manifest = readFileSync(site.path('gitops', 'deployment.yaml'), 'utf8').replace(
        /image: \S+/,
        `image: ${name}:1.0.0`,
      );
      writeFileSync(site.path('gitops', 'tagged.yaml'), manifest);
      return await deploy(site, image, decision, 'tagged.yaml');
    },
  },
  {
    title: 'the decision that was used is used a second time',
    from: 'deployed',
    rule: 'deploy.once',
    act: async (site, { image, decision }) => await deploy(site, image, decision),
  },
];

/** Reports about the commit; the image's own is trivy. */
export const SOURCE_REPORTS = ['semgrep', 'gitleaks', 'checkov', 'osv-scanner'];

/** A report like trivy's without a finding, and a sidecar that says that trivy wrote it. */
function forgeReport(site: Site, reports: string): string {
  const folder = site.path('forged');
  mkdirSync(folder, { recursive: true });
  const genuine = JSON.parse(readFileSync(join(reports, 'trivy.json'), 'utf8'));
  for (const result of genuine.Results ?? []) delete result.Vulnerabilities;
  const bytes = Buffer.from(JSON.stringify(genuine));
  const sidecar = JSON.parse(readFileSync(join(reports, 'trivy.sidecar.json'), 'utf8'));
  sidecar.report = {
    file: 'forged.json',
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bytes: bytes.length,
  };
  writeFileSync(join(folder, 'forged.json'), bytes);
  writeFileSync(join(folder, 'forged.sidecar.json'), JSON.stringify(sidecar));
  return folder;
}

/** The same image in another repository with everything that was attached to it, but with the signature of a stranger. */
async function replaceSignature({ sample, registry, image }: Story): Promise<string> {
  const { repository, digest } = parseReference(image);
  const client = createRegistryClient({ registry });
  const other = `${repository}-resigned`;
  const [top] = await pushLayout(client, readLayout(join(sample, 'image')), other);
  const kept: ReadyAttachment[] = (await readAttachments(client, repository, digest)).flatMap((attachment) => {
    if (attachment.kind !== 'bundle') return [];
    const { predicateType } = JSON.parse(parseBundle(attachment.bytes, 'bundle').payload.toString('utf8'));
    return predicateType === SIGNATURE_TYPE ? [] : [{ bundleBytes: attachment.bytes, predicateType }];
  });
  const name = `${registry}/${other}`;
  const signature = (await strangersStatements({ name, digest })).filter(
    ({ predicateType }) => predicateType === SIGNATURE_TYPE,
  );
  const { mediaType, size } = top as NonNullable<typeof top>;
  await attachAll(client, other, { mediaType, digest, size }, [...kept, ...signature], Date.now());
  return `${name}@${digest}`;
}

async function strangersStatements(image: { name: string; digest: string }) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = {
    keyId: 'stranger',
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    sign: async (bytes: Uint8Array) => signBytes('sha256', bytes, privateKey),
  };
  const runner = { name: 'local', pool: 'local', environment: null, hosted: false, image: null };
  const run = {
    platform: 'local' as const,
    host: 'demo',
    repository: 'x',
    repositoryId: '1',
    id: '1',
    attempt: 1,
    parent: null,
    caller: null,
    workflow: null,
    ref: 'x',
    sha: '0'.repeat(40),
    event: 'x',
    job: '1',
    runner,
  };
  return await attestImage(stranger, image, adoptedProvenance(run, 'x', 'x'), null);
}

async function pushBehindOurBack({ sample, registry }: Story): Promise<string> {
  const repository = 'found/lab-results';
  const [top] = await pushLayout(createRegistryClient({ registry }), readLayout(join(sample, 'image')), repository);
  return `${registry}/${repository}@${(top as NonNullable<typeof top>).digest}`;
}
