import type { ScanReport } from '../contract/scan-report.ts';
import type { FileReading } from './read-file.ts';
import type { Category, Reason } from './reading.ts';

/**
 * What the file says against the caller: that it is about another image or commit, or that it shows no scan of the category.
 * A file that names neither digest nor commit says nothing here; who vouches for it then is its importer.
 */
export function subjectReasons(
  file: FileReading,
  subject: ScanReport['subject'],
  category: Category | undefined,
): Reason[] {
  if (!file.recognised) return [];
  const reasons: Reason[] = [];
  const digest = subject.image?.slice(subject.image.indexOf('@') + 1) ?? null;
  const { digests, commit } = file.about;
  if (digest !== null && digests.length > 0 && !digests.includes(digest)) {
    reasons.push(notScanned(`image ${digests[0]}`, digest));
  }
  if (subject.commit !== null && commit !== null && commit !== subject.commit) {
    reasons.push(notScanned(`commit ${commit}`, subject.commit));
  }
  if (category !== undefined && file.covers.length > 0 && !file.covers.includes(category)) {
    reasons.push({
      code: 'no_targets',
      detail: `the report shows a scan for ${file.covers.join(', ')}, not for ${category}`,
    });
  }
  return reasons;
}

/** What the file shows was scanned, else, of a SARIF that does not show it, what the caller says. */
export function coversOf(file: FileReading, category: Category | undefined): Category[] {
  const told = file.recognised && file.format.startsWith('sarif') && file.covers.length === 0 && category !== undefined;
  return told ? [category] : file.covers;
}

function notScanned(what: string, subject: string): Reason {
  return { code: 'no_targets', detail: `the report is about ${what}: nothing of ${subject} was scanned` };
}
