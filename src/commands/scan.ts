import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { category as categorySchema } from '../contract/primitives.ts';
import type { ScanReport } from '../contract/scan-report.ts';
import { redact } from '../evidence/redact.ts';
import { BadInput } from '../lib/errors.ts';
import { folderDigest, readInput } from '../lib/file.ts';
import * as z from '../lib/zod.ts';
import { parseReference } from '../registry/reference.ts';
import { normalise, toolNames } from '../scan/index.ts';
import { requireNewFolder, writeReports } from '../scan/run/run.ts';
import { GITLAB_CHILD, openCollected } from './collected.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, optionalText, text } from './inputs.ts';
import { requireListed } from './listed-registry.ts';
import { ranInPool } from './pools.ts';
import { imageByDigest } from './registry.ts';
import { runInputs } from './run-inputs.ts';
import { brief, recordedAnswer, reportsAnswer } from './scan-answer.ts';
import { recordFolder, recordReport } from './scan-record.ts';
import { scanNow } from './scan-run.ts';
import { openStage } from './stage.ts';

const inputs = z.strictObject({
  phase: z._default(
    choice(['normalise', 'run', 'record', 'all'], {
      description:
        'normalise: read a report and show it; run: run scanners, without a key; record: sign reports as evidence for this run; all: run and record in one process',
    }),
    'normalise',
  ),
  tool: z.optional(
    choice(toolNames as [string, ...string[]], {
      description:
        'tool that wrote the report, when the file does not say so itself; phase run: the one tool to run, instead of all that the environment requires',
      value: 'TOOL',
    }),
  ),
  category: z.optional(
    choice(categorySchema.options, {
      description: 'what was scanned, for SARIF of a tool that is not known',
      value: 'CATEGORY',
    }),
  ),
  report: optionalText({ description: 'one report as the tool wrote it', value: 'FILE' }),
  sidecar: optionalText({
    description: 'how the report came to be: gatehouse/scan-sidecar/1, written by whoever ran the tool',
    value: 'FILE',
  }),
  subject: optionalText({
    description: 'image that was scanned, by digest; without it reports are about the run’s commit',
    value: 'IMAGE@DIGEST',
  }),
  environment: optionalText({
    description: 'phase run: environment of contract.yml whose required scans are to run',
    value: 'NAME',
  }),
  checkout: z._default(
    text({
      description: 'phase run: git checkout with its whole history; only what is committed is scanned',
      value: 'FOLDER',
    }),
    '.',
  ),
  layout: optionalText({
    description: 'phase run: OCI layout of the image, for scans of containers',
    value: 'FOLDER',
  }),
  reports: optionalText({
    description: 'phase run: new folder for the reports; phase record: the folder that the scan job left',
    value: 'FOLDER',
  }),
  digest: optionalText({
    description: 'phase record: digest of the folder of reports, as the scan job put it out',
    value: 'sha256:…',
  }),
  collected: optionalText({
    description: 'phase record, with --child: the folder that collect made of the child’s scan job',
    value: 'FOLDER',
    cliOnly: true,
  }),
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const scan = command({
  name: 'scan',
  summary: 'runs scanners, and says of what they wrote whether the scan happened and what it found',
  description: [
    'Runs and normalises Trivy, Semgrep, Gitleaks, Checkov and OSV-Scanner, and normalises any SARIF. Two things are kept apart:',
    'whether the scan ran to its end on the right thing, and what it found. An empty, cut or unknown report is never clean.',
    'Findings never change the exit code: judging them is the gate’s work. Phase run uses a command line of ours on a copy of',
    'the commit that obeys no ignore file of the judged repository; it holds no key. Phase record signs as role scan.',
    'Exit code: 0 every scan is complete, 1 one is not, 2 a file is not this tool’s or is not readable, 3 a tool is not there.',
  ].join('\n'),
  examples: [
    {
      says: 'what does this report say?',
      command: 'gatehouse scan --tool trivy --report trivy.json --subject registry.example.org/app/web@sha256:… --json',
    },
    {
      says: 'run what production requires',
      command: 'gatehouse scan --phase run --environment production --layout image --reports reports --json',
    },
    {
      says: 'record one report for a run',
      command:
        'gatehouse scan --phase record --tool trivy --report trivy.json --sidecar trivy.sidecar.json --subject registry.example.org/app/web@sha256:… --run run.json',
    },
  ],
  inputs,
  outputs: {
    status: 'complete, degraded, incomplete or error: the worst of all reports',
    digest: 'phase run: digest of the folder of reports',
    receipts: 'phases record and all: the store’s answers, a JSON list',
  },
  cancelled: ({ phase }) =>
    phase === 'record' || phase === 'all'
      ? { type: 'scan.completed', environment: null, data: { tool: null, covers: [], status: 'error' } }
      : null,
  run: async (given, context) => {
    if (given.phase === 'normalise') return reportsAnswer([read(given, null, context)]);
    if (given.phase === 'run') return await runOnly(given, context);
    const image = given.subject === undefined ? null : await imageByDigest(given.subject, context);
    if (given.phase === 'record') requireReports(given);
    const stage = await openStage('scan', 'scan', given, context);
    if (image !== null) requireListed(image.name, stage.contract);
    if (given.phase === 'all')
      return await inScratch(async (scratch) => {
        const folder = join(scratch, 'reports');
        writeReports(folder, await scanNow(given, scratch, context));
        return recordedAnswer(await recordFolder(folder, null, image, stage, context, { executed: true }), false);
      });
    if (given.collected !== undefined) {
      const { files, document } = await openCollected(given.collected, 'scan', stage.identity.run);
      const inPool = await ranInPool(stage, 'scan', context, document);
      const imported = { executed: false, importer: inPool ? GITLAB_CHILD.inPool : GITLAB_CHILD.elsewhere };
      return recordedAnswer(await recordFolder(join(files, 'reports'), null, image, stage, context, imported), true);
    }
    if (given.reports === undefined) {
      const report = read(given, stage.identity.run.sha, context);
      return recordedAnswer([await recordReport(report, image, stage, context)], false);
    }
    return recordedAnswer(await recordFolder(given.reports, given.digest as string, image, stage, context), true);
  },
});

function requireReports({ collected, reports, report, digest }: Inputs): void {
  if (collected === undefined && reports === undefined && report === undefined) throw noReport('record');
  if (reports !== undefined && digest === undefined)
    throw new BadInput(
      'inputs.digest',
      'phase record needs --digest with --reports: the folder as the scan job left it',
    );
}

function noReport(phase: Inputs['phase']): BadInput {
  return new BadInput(
    'inputs.report',
    `phase ${phase} needs --report, the file that the tool wrote${phase === 'record' ? ', or --reports' : ''}`,
  );
}

/** The scan job: no key, no store; what it leaves is a folder and the folder's digest. */
async function runOnly(given: Inputs, context: Context): Promise<Result> {
  const { reports } = given;
  if (reports === undefined)
    throw new BadInput('inputs.reports', 'phase run needs --reports: a new folder for the reports');
  requireNewFolder(reports);
  return await inScratch(async (scratch) => {
    const ran = await scanNow(given, scratch, context);
    writeReports(reports, ran);
    const digest = folderDigest(reports, 'reports');
    const read = ran.map(({ report, sidecar }) =>
      redacted(
        normalise({
          bytes: report,
          tool: sidecar.tool.name,
          origin: { kind: 'executed', run: { ...sidecar, database: sidecar.database ?? null } },
          subject: { image: null, platform: null, commit: null },
        }),
      ),
    );
    const result = reportsAnswer(read);
    return {
      ...result,
      json: { digest, reports: read.map(brief) },
      text: `${result.text}\n${reports} is ${digest}`,
      outputs: { ...result.outputs, digest },
    };
  });
}

async function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  try {
    return await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function read(given: Inputs, commit: string | null, context: Context): ScanReport {
  const image = given.subject ?? null;
  if (image !== null) parseReference(image);
  if (given.report === undefined) throw noReport(given.phase);
  return redacted(
    normalise({
      bytes: readInput(given.report, 'report'),
      tool: given.tool,
      category: given.category,
      sidecar: given.sidecar === undefined ? undefined : sidecarIn(given.sidecar),
      subject: { image, platform: null, commit: image === null ? commit : null },
      now: context.now(),
    }),
  );
}

function sidecarIn(file: string) {
  return { bytes: readInput(file, 'sidecar', 1024 * 1024), what: `sidecar ${file}` };
}

/** Messages of scanners quote the code they look at, and a report is kept for years. */
function redacted(report: ScanReport): ScanReport {
  return redact(report).value;
}
