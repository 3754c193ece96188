import type { category, severity } from '../contract/primitives.ts';
import type { Finding, ReasonCode, ScanReport } from '../contract/scan-report.ts';
import type * as z from '../lib/zod.ts';

export type Category = z.infer<typeof category>;
export type Severity = z.infer<typeof severity>;
export type Reason = { code: ReasonCode; detail: string };
export type Database = ScanReport['tool']['database'];

/**
 * A finding as a reader took it from the file. `secret` is the value that was found: it lives in memory alone, until
 * the fingerprint is made of it.
 */
export interface Draft extends Omit<Finding, 'fingerprint' | 'location'>, Readonly<Finding['location']> {
  /** What tells this finding from another of the same rule, path, package and version: the tool's own key where it has one. */
  key: string[];
  secret: string | null;
}

/** A draft of a finding of which only the given is known. */
export function draft(known: Pick<Draft, 'category' | 'rule' | 'title'> & Partial<Draft>): Draft {
  return {
    severity: 'unknown',
    severitySource: 'none',
    path: null,
    line: null,
    package: null,
    version: null,
    image: null,
    fixedVersion: null,
    cve: [],
    cwe: [],
    suppressed: null,
    tags: [],
    key: [],
    secret: null,
    ...known,
  };
}

/** What one file says, in its tool's own terms. */
export interface Reading {
  /** The tool's name; a SARIF file names its own. */
  tool: string;
  format: string;
  version: string | null;
  rules: number | null;
  /** Categories that the file shows were scanned. */
  covers: Category[];
  drafts: Draft[];
  reasons: Reason[];
  scanned: number | null;
  range: string | null;
  /** What the file itself says it is about, to be compared with the subject: digests of an image, a commit. */
  about: { digests: string[]; commit: string | null };
  /** When the file says it was written. */
  writtenAt: string | null;
}

/** A reading of which only the given is known. */
export function reading(known: Pick<Reading, 'tool' | 'format'> & Partial<Reading>): Reading {
  return {
    version: null,
    rules: null,
    covers: [],
    drafts: [],
    reasons: [],
    scanned: null,
    range: null,
    about: { digests: [], commit: null },
    writtenAt: null,
    ...known,
  };
}

/** `certain`: only this tool writes such a document. `possible`: it may, if the caller says so (`[]`, `null`). */
export type Claim = 'certain' | 'possible' | 'none';

/** An option that makes a tool leave findings out of its report. */
export interface Filter {
  /** Long and short spellings, for example `['--severity', '-s']`. */
  flags: readonly string[];
  /** Takes no value. */
  bare?: boolean;
  /** With all of these as its value it leaves nothing out. */
  all?: readonly string[];
}

/** How a tool's command line and exit code are to be read. */
export interface Conventions {
  filters: readonly Filter[];
  /** The tool takes a flag's first letters for the flag. */
  abbreviates?: boolean;
  /** The exit code that means "found something"; `always`: it never ends with 0 then. Null: it never says. */
  foundCode(argv: readonly string[]): { code: number; always: boolean } | null;
  /** Exit codes with a meaning of their own. */
  codes?: ReadonlyMap<number, ReasonCode>;
}

export interface Tool extends Conventions {
  name: string;
  claims(document: unknown): Claim;
  read(document: unknown, argv: readonly string[]): Reading;
}
