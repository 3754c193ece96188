import { envelopeOf } from '../attestation/image.ts';
import { PREDICATE_TYPE } from '../contract/record.ts';
import type { ScanReport } from '../contract/scan-report.ts';
import { redact } from '../evidence/redact.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { Denied } from '../lib/errors.ts';
import { attachAll } from '../registry/attach.ts';
import { readImage } from '../registry/image.ts';
import { parseReference, type Reference } from '../registry/reference.ts';
import { type FolderReport, normalise, type Origin, readFolder, type Sidecar } from '../scan/index.ts';
import type { Context } from './command.ts';
import { ranInPool } from './pools.ts';
import { openRegistry } from './registry.ts';
import type { Stage } from './stage.ts';

/** One report of a folder, as it is to be recorded. */
export interface Recorded {
  report: ScanReport;
  key: string;
  receipt: unknown;
}

/** Signs and stores one report, and attaches it to the image that it is about. */
export async function recordReport(
  report: ScanReport,
  image: Reference | null,
  stage: Stage,
  context: Context,
): Promise<Recorded> {
  const { run } = stage.identity;
  const attachment = await stage.attach(canonicalBytes(report), 'report', 'application/json', true);
  const written = await stage.write(
    {
      type: 'scan.completed',
      subjects: [
        image === null
          ? { name: run.repository, kind: 'commit', digest: `gitCommit:${run.sha}` }
          : { name: image.name, kind: 'image', digest: image.digest },
      ],
      outcome: report.execution.status === 'complete' ? 'success' : 'failure',
      attachments: [attachment],
      data: {
        tool: report.tool.name,
        version: report.tool.version,
        covers: report.covers,
        status: report.execution.status,
        counts: report.counts,
        importer: report.importer,
      },
    },
    report.tool.name,
  );
  if (image !== null) {
    const client = await openRegistry(image.registry, context);
    const { mediaType, digest, size } = await client.getManifest(image.repository, image.digest);
    await attachAll(
      client,
      image.repository,
      { mediaType, digest, size },
      [{ bundleBytes: written.bytes, predicateType: PREDICATE_TYPE, envelope: envelopeOf(written.bytes) }],
      context.now(),
    );
  }
  const { schema, key, versionId, storeTime, digest } = written;
  return { report, key, receipt: { schema, key, versionId, storeTime, digest } };
}

/** How the reports of a folder came to be: run by our scan job, or by somebody for whom an importer vouches. */
export interface Ran {
  executed: boolean;
  importer?: string;
}

/**
 * Records every report of a folder that a scan job left, if it is the very folder: `digest` is what that job put out, null where
 * this very process laid or checked the folder. On GitHub both come from jobs of the trusted workflow, so the reports count as
 * executed if that job ran in a pool of the contract; elsewhere, unless this very process ran the scanners, they are imported: by
 * `importer`, or else each by its sidecar.
 */
export async function recordFolder(
  folder: string,
  digest: string | null,
  image: Reference | null,
  stage: Stage,
  context: Context,
  ran?: Ran,
): Promise<Recorded[]> {
  const read = readFolder(folder, digest, context.now());
  const about = await subjectsOf(image, context);
  const ours = ran ?? { executed: await ranByUs(stage, context) };
  const reports = read.map((each) => aboutThisRun(each, ours, about, stage, context));
  const recorded: Recorded[] = [];
  for (const { report, subject } of reports) recorded.push(await recordReport(report, subject, stage, context));
  return recorded;
}

async function ranByUs(stage: Stage, context: Context): Promise<boolean> {
  return stage.identity.run.platform === 'github' && (await ranInPool(stage, 'scan', context));
}

/** What a report may be about: the image and each of its platforms. */
async function subjectsOf(image: Reference | null, context: Context): Promise<Reference[]> {
  if (image === null) return [];
  const client = await openRegistry(image.registry, context);
  const manifests = await readImage(client, image.repository, image.digest);
  return manifests.map(({ descriptor }) => parseReference(`${image.name}@${descriptor.digest}`));
}

function aboutThisRun(
  { name, bytes, sidecarBytes, sidecar }: FolderReport,
  { executed, importer }: Ran,
  images: Reference[],
  stage: Stage,
  context: Context,
): { report: ScanReport; subject: Reference | null } {
  const subject = subjectOf(name, sidecar, images, stage.identity.run.sha);
  const origin: Origin = { kind: 'executed', run: sidecar.run };
  const report = normalise({
    bytes,
    tool: sidecar.run.tool.name,
    ...(executed ? { origin } : { sidecar: { bytes: sidecarBytes, importer } }),
    subject: {
      image: subject === null ? null : `${subject.name}@${subject.digest}`,
      platform: null,
      commit: subject === null ? stage.identity.run.sha : null,
    },
    now: context.now(),
  });
  return { report: redact(report).value, subject };
}

/** Throws Denied for a scan of another commit or image than this run's. */
function subjectOf(name: string, { subject }: Sidecar, images: Reference[], sha: string): Reference | null {
  if (subject === undefined)
    throw new Denied('scan.subject', `the sidecar of ${name} does not say what was scanned; nothing was recorded`);
  if ('commit' in subject) {
    if (subject.commit === sha) return null;
    throw new Denied(
      'scan.subject',
      `${name} is about commit ${subject.commit}, this run is of ${sha}; nothing was recorded`,
    );
  }
  const image = images.find(({ digest }) => digest === subject.image);
  if (image !== undefined) return image;
  throw new Denied(
    'scan.subject',
    `${name} is about image ${subject.image}, ${images.length === 0 ? 'and no image was named: add --subject' : `not about ${images.map(({ digest }) => digest).join(' or ')}`}; nothing was recorded`,
  );
}
