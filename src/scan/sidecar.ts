import { pathText, problemsOf } from '../contract/problems.ts';
import { type ScanSidecar, scanSidecar } from '../contract/scan-report.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import type { Database } from './reading.ts';

/** How a tool was run: said by the job that ran it, or by a sidecar. */
export interface ToolRun {
  tool: { name: string; version: string | null; digest: string | null };
  database: Database;
  argv: string[] | null;
  /** The folder that was scanned, where the report's paths begin with it. */
  root?: string | undefined;
  exitCode: number | null;
  /** RFC 3339, UTC. */
  startedAt: string | null;
  finishedAt: string | null;
}

/** What a sidecar says of its report: whose word it is, how the tool was run, and on what. */
export interface Sidecar {
  importer: string;
  run: ToolRun;
  subject: ScanSidecar['subject'];
}

/** A machine's clock and a file's may differ by this many milliseconds. */
const SKEW = 5 * 60_000;

/**
 * Reads a `gatehouse/scan-sidecar/1` and checks that it belongs to this report. Throws BadInput when it does not: then
 * somebody took the wrong file, and nothing it says may be believed. `now` in milliseconds.
 */
export function readSidecar(bytes: Buffer, report: Buffer, now: number | null, what = 'the sidecar'): Sidecar {
  const read = scanSidecar.safeParse(parseJson(bytes, what));
  if (!read.success) {
    const first = problemsOf(read.error, scanSidecar)[0];
    throw new BadInput(
      'sidecar.schema',
      `${what} is not a gatehouse/scan-sidecar/1: ${first && pathText(first.path)}: ${first?.message}`,
    );
  }
  const { tool, database, argv, root, exitCode, startedAt, finishedAt, report: named, subject } = read.data;
  const digest = digestOf(report);
  if (named.digest !== digest || named.bytes !== report.length) {
    throw new BadInput(
      'sidecar.report',
      `${what} belongs to another report: it names ${named.file} as ${named.digest} (${named.bytes} bytes), this file is ${digest} (${report.length} bytes); hand in the two files that were written together`,
    );
  }
  checkTimes(startedAt, finishedAt, now);
  return {
    importer: `sidecar@${digestOf(bytes)}`,
    run: { tool, database: database ?? null, argv, root, exitCode, startedAt, finishedAt },
    subject,
  };
}

function checkTimes(startedAt: string, finishedAt: string, now: number | null): void {
  const [start, finish] = [parseTime(startedAt) as number, parseTime(finishedAt) as number];
  if (finish < start) {
    throw new BadInput(
      'sidecar.times',
      `the sidecar says that the scan finished at ${finishedAt}, before it started at ${startedAt}`,
    );
  }
  if (now !== null && finish > now + SKEW) {
    throw new BadInput(
      'sidecar.times',
      `the sidecar says that the scan finished at ${finishedAt}, which is in the future: check the clocks`,
    );
  }
}

/**
 * Throws BadInput when the report contradicts its sidecar: another tool, another version of it, or written at another time.
 * Each is null where the file does not say.
 */
export function checkAgainst(
  run: ToolRun,
  file: { tool: string | null; version: string | null; writtenAt: string | null },
): void {
  if (file.tool !== null && file.tool !== run.tool.name) {
    throw new BadInput(
      'sidecar.tool',
      `the sidecar speaks of ${run.tool.name}, but the report was written by ${file.tool}`,
    );
  }
  if (file.version !== null && run.tool.version !== null && bare(file.version) !== bare(run.tool.version)) {
    throw new BadInput(
      'sidecar.version',
      `the sidecar speaks of ${run.tool.name} ${run.tool.version}, but the report was written by version ${file.version}`,
    );
  }
  const written = file.writtenAt === null ? Number.NaN : Date.parse(file.writtenAt);
  const [start, finish] = [parseTime(run.startedAt ?? ''), parseTime(run.finishedAt ?? '')];
  if (start !== null && finish !== null && (written < start - SKEW || written > finish + SKEW)) {
    throw new BadInput(
      'sidecar.times',
      `the report says that it was written at ${file.writtenAt}, the sidecar that the scan ran from ${run.startedAt} to ${run.finishedAt}`,
    );
  }
}

function bare(version: string): string {
  return version.replace(/^v/, '');
}
