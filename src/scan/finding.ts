import type { Finding, ScanReport } from '../contract/scan-report.ts';
import { fingerprints } from './fingerprint.ts';
import type { Draft } from './reading.ts';

/** Findings out of drafts, in the same order and number: text cleaned and bounded, secrets gone into their fingerprints. */
export function findingsOf(tool: string, drafts: readonly Draft[]): Finding[] {
  const prints = fingerprints(tool, drafts);
  return drafts.map((draft, index) => ({
    fingerprint: prints[index] as string,
    category: draft.category,
    rule: clean(draft.rule, 512),
    title: clean(draft.title, 256),
    severity: draft.severity,
    severitySource: draft.severitySource,
    location: {
      path: cleanOrNull(draft.path),
      line: draft.line,
      package: cleanOrNull(draft.package),
      version: cleanOrNull(draft.version),
      image: cleanOrNull(draft.image),
    },
    fixedVersion: cleanOrNull(draft.fixedVersion),
    cve: draft.cve.slice(0, 64).map((id) => clean(id, 64)),
    cwe: draft.cwe.slice(0, 64),
    suppressed: draft.suppressed && {
      by: clean(draft.suppressed.by, 128),
      reason: clean(draft.suppressed.reason, 512),
    },
    tags: draft.tags.slice(0, 32).map((tag) => clean(tag, 128)),
  }));
}

/** Findings by severity; the suppressed ones are counted on their own, so that all numbers add up to the rows. */
export function countsOf(findings: readonly Finding[]): ScanReport['counts'] {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0, suppressed: 0 };
  for (const finding of findings) counts[finding.suppressed === null ? finding.severity : 'suppressed']++;
  return counts;
}

/** One bounded line: a scanner's text ends up in logs and pages, where control characters are commands. */
export function clean(text: string, longest: number): string {
  return (
    text
      .slice(0, longest * 2)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
      .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
      .trim()
      .slice(0, longest)
      .toWellFormed()
  );
}

function cleanOrNull(text: string | null): string | null {
  return text === null ? null : clean(text, 1024);
}

/** Identifiers of weaknesses in any of the spellings that tools use, as `CWE-79`. */
export function cweIds(texts: readonly string[]): string[] {
  return unique(texts.flatMap((text) => [...text.matchAll(/\bCWE-0*(\d{1,5})\b/gi)].map((match) => `CWE-${match[1]}`)));
}

/** Identifiers of vulnerabilities, as `CVE-2024-12345`. */
export function cveIds(texts: readonly string[]): string[] {
  return unique(
    texts.flatMap((text) => [...text.matchAll(/\bCVE-\d{4}-\d{4,}/gi)].map((match) => match[0].toUpperCase())),
  );
}

function unique(texts: string[]): string[] {
  return [...new Set(texts)];
}
