import type { Facts } from '../contract/facts.ts';
import type { Contract } from '../contract/load-contract.ts';
import { category as categorySchema } from '../contract/primitives.ts';
import { type ScanReport, scanReport } from '../contract/scan-report.ts';
import { readAttachment } from '../evidence/blob.ts';
import { digestOf } from '../lib/digest.ts';
import { messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import type { Ledger, Unreadable, VerifiedRecord } from './evidence.ts';
import { recordsAbout } from './evidence.ts';

type Scan = Facts['scans'][number];
type About = Pick<Scan, 'subject' | 'commit'>;

/** Every scan that the ledger knows of an image (`sha256:…`) or a commit, also those that cannot be read any more. */
export async function scanFacts(ledger: Ledger, contract: Contract, digest: string): Promise<Scan[]> {
  const about: About = digest.startsWith('gitCommit:')
    ? { subject: null, commit: digest.slice('gitCommit:'.length) }
    : { subject: digest, commit: null };
  const { records, unreadable } = await recordsAbout(ledger, digest, ['scan.completed']);
  return [
    // One that was cancelled says nothing of the image or commit; that a scan is missing is said by its absence.
    ...(await Promise.all(
      records
        .filter(({ record }) => record.outcome !== 'cancelled')
        .map((record) => scanOf(ledger, contract, about, record)),
    )),
    ...unreadable.map((each) => unreadableScan(contract, about, each)),
  ];
}

async function scanOf(ledger: Ledger, contract: Contract, about: About, found: VerifiedRecord): Promise<Scan> {
  const attachment = found.record.attachments.find((each) => each.role === 'report');
  const tool = typeof found.record.data.tool === 'string' ? found.record.data.tool : null;
  const unusable = (why: string) =>
    unreadableScan(contract, about, { type: 'scan.completed', tool, why, from: found.key, storedAt: found.storedAt });
  if (attachment === undefined) return unusable('the record has no report');
  try {
    const report = scanReport.parse(parseJson(await readAttachment(ledger.store, attachment), 'report'));
    const fits =
      about.subject !== null
        ? report.subject.image?.endsWith(`@${about.subject}`) === true
        : report.subject.commit === about.commit;
    return fits
      ? {
          ...about,
          report: reportFact(contract, report),
          time: found.storedAt,
          from: found.key,
        }
      : unusable('its report is about something else');
  } catch (cause) {
    return unusable(messageOf(cause));
  }
}

/** A report as facts have it: times in milliseconds, and of a failed scan what it stands for. */
export function reportFact(contract: Contract, report: ScanReport): Scan['report'] {
  const { database } = report.tool;
  return {
    ...report,
    covers: coversOf(contract, report),
    tool: { ...report.tool, database: database === null ? null : { ...database, builtAt: ms(database.builtAt) } },
    execution: {
      ...report.execution,
      startedAt: ms(report.execution.startedAt),
      finishedAt: ms(report.execution.finishedAt),
    },
  };
}

/** A failed scan that does not show what it was to cover stands for all that its tool may be used for: else it would decide nothing. */
function coversOf(contract: Contract, { covers, tool, execution }: ScanReport): ScanReport['covers'] {
  return covers.length === 0 && execution.status !== 'complete' ? categoriesOf(contract, tool.name) : covers;
}

function categoriesOf(contract: Contract, tool: string | null): ScanReport['covers'] {
  const known = categorySchema.options.filter((category) =>
    contract.policy.scanners[category]?.tools.some((allowed) => allowed.name === tool),
  );
  return known.length > 0 ? known : [...categorySchema.options];
}

function ms(time: string | null): number | null {
  return time === null ? null : parseTime(time);
}

/**
 * A report in the place of one that cannot be read: failed, of the categories for which the contract allows its tool, so that
 * it denies until a newer complete report of that tool takes its place. Of an unknown tool it covers everything.
 */
function unreadableScan(contract: Contract, about: About, { tool, why, from, storedAt }: Unreadable): Scan {
  return {
    ...about,
    time: storedAt,
    from,
    report: {
      schema: 'gatehouse/scan-report/1',
      origin: 'executed',
      importer: null,
      tool: { name: tool ?? 'unknown', version: null, digest: null, rules: null, database: null },
      covers: categoriesOf(contract, tool),
      subject: { image: null, platform: null, commit: about.commit },
      execution: {
        status: 'error',
        reasons: [{ code: 'engine_failed', detail: `the evidence cannot be read: ${why}`.slice(0, 4096) }],
        argv: null,
        exitCode: null,
        startedAt: null,
        finishedAt: storedAt,
        targets: { expected: null, scanned: null },
        range: null,
        filters: [],
      },
      findings: [],
      counts: { critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0, suppressed: 0 },
      source: { digest: digestOf(''), bytes: 0, format: 'unreadable' },
    },
  };
}
