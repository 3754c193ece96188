import { z } from 'zod';
import { envelopeOf } from '../attestation/image.ts';
import { category as categorySchema } from '../contract/primitives.ts';
import { PREDICATE_TYPE } from '../contract/record.ts';
import type { ScanReport } from '../contract/scan-report.ts';
import { redact } from '../evidence/redact.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { readInput } from '../lib/file.ts';
import { attachAll } from '../registry/attach.ts';
import { parseReference } from '../registry/reference.ts';
import { normalise, toolNames } from '../scan/index.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, text } from './inputs.ts';
import { requireListed } from './listed-registry.ts';
import { imageByDigest, openRegistry } from './registry.ts';
import { runInputs } from './run-inputs.ts';
import { openStage, type Stage } from './stage.ts';

const inputs = z.strictObject({
  phase: choice(['normalise', 'record'], {
    description: 'normalise: read a report and show it; record: also sign it as evidence for this run',
  }).default('normalise'),
  tool: choice(toolNames as [string, ...string[]], {
    description: 'tool that wrote the report; may be left out when the file says so itself',
    value: 'TOOL',
  }).optional(),
  category: choice(categorySchema.options, {
    description: 'what was scanned, for SARIF of a tool that is not known',
    value: 'CATEGORY',
  }).optional(),
  report: text({ description: 'the report as the tool wrote it', value: 'FILE' }),
  sidecar: text({
    description: 'how the report came to be: gatehouse/scan-sidecar/1, written by whoever ran the tool',
    value: 'FILE',
  }).optional(),
  subject: text({
    description: 'image that was scanned, by digest; without it the report is about the run’s commit',
    value: 'IMAGE@DIGEST',
  }).optional(),
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const scan = command({
  name: 'scan',
  summary: 'reads what a scanner wrote and says whether the scan happened and what it found',
  description: [
    'Normalises the output of Trivy, Semgrep, Gitleaks, Checkov, OSV-Scanner or any SARIF. Two things are kept apart: whether the',
    'scan ran to its end on the right thing, and what it found. An empty, cut or unknown report is never clean. Findings never',
    'change the exit code: judging them is the gate’s work.',
    'Exit code: 0 the scan is complete, 1 it is not, 2 the file is not this tool’s or is not readable.',
  ].join('\n'),
  examples: [
    {
      says: 'what does this report say?',
      command: 'gatehouse scan --tool trivy --report trivy.json --subject registry.example.org/app/web@sha256:… --json',
    },
    {
      says: 'record it for a run',
      command:
        'gatehouse scan --phase record --tool trivy --report trivy.json --sidecar trivy.sidecar.json --subject registry.example.org/app/web@sha256:… --run run.json',
    },
  ],
  inputs,
  outputs: { status: 'complete, degraded, incomplete or error', receipt: 'phase record: the store’s answer' },
  run: async (given, context) => {
    const stage = given.phase === 'record' ? await openStage('scan', 'scan', given, context) : null;
    if (stage !== null && given.subject !== undefined)
      requireListed((await imageByDigest(given.subject, context)).name, stage.contract);
    const report = read(given, stage?.identity.run.sha ?? null, context);
    if (stage === null) return answer(given, report);
    return await record(given, report, stage, context);
  },
});

function read(given: Inputs, commit: string | null, context: Context): ScanReport {
  const image = given.subject ?? null;
  if (image !== null) parseReference(image);
  const report = normalise({
    bytes: readInput(given.report, 'report'),
    tool: given.tool,
    category: given.category,
    sidecar: given.sidecar === undefined ? undefined : { bytes: readInput(given.sidecar, 'sidecar', 1024 * 1024) },
    subject: { image, platform: null, commit: image === null ? commit : null },
    now: context.now(),
  });
  // Messages of scanners quote the code they look at, and a report is kept for years.
  return redact(report).value;
}

async function record(given: Inputs, report: ScanReport, stage: Stage, context: Context): Promise<Result> {
  const { run } = stage.identity;
  const subject = given.subject === undefined ? null : parseReference(given.subject);
  const attachment = await stage.attach(canonicalBytes(report), 'report', 'application/json', true);
  const written = await stage.write(
    {
      type: 'scan.completed',
      subjects: [
        subject === null
          ? { name: run.repository, kind: 'commit', digest: `gitCommit:${run.sha}` }
          : { name: subject.name, kind: 'image', digest: subject.digest },
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
  if (subject !== null) {
    const client = await openRegistry(subject.registry, context);
    const { mediaType, digest, size } = await client.getManifest(subject.repository, subject.digest);
    await attachAll(
      client,
      subject.repository,
      { mediaType, digest, size },
      [{ bundleBytes: written.bytes, predicateType: PREDICATE_TYPE, envelope: envelopeOf(written.bytes) }],
      context.now(),
    );
  }
  const { schema, key, versionId, storeTime, digest } = written;
  const result = answer(given, report);
  return {
    ...result,
    text: `${result.text}\nrecorded ${key}`,
    outputs: { ...result.outputs, receipt: JSON.stringify({ schema, key, versionId, storeTime, digest }) },
  };
}

function answer(given: Inputs, report: ScanReport): Result {
  const { status, reasons } = report.execution;
  const wrongTool = reasons.some((reason) => reason.code === 'wrong_tool');
  const { suppressed, ...counts } = report.counts;
  const found = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return {
    exit: wrongTool ? 2 : status === 'complete' ? 0 : 1,
    json: report,
    text: [
      `${report.tool.name} ${report.tool.version ?? ''} on ${given.report}: ${status}, ${found.length === 0 ? 'no findings' : found.join(', ')}${suppressed > 0 ? ` (${suppressed} suppressed)` : ''}`,
      ...reasons.map(({ code, detail }) => `  ${code}: ${detail}`),
      ...(status === 'complete' ? [] : ['  an incomplete scan is never clean: mend what stopped it and scan again']),
    ].join('\n'),
    outputs: { status },
  };
}
