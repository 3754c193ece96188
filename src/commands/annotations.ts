import type { ScanReport } from '../contract/scan-report.ts';

/** A remark at a line of a file, as a platform shows it beside the change. */
export interface Annotation {
  level: 'warning' | 'notice';
  /** Below the root of the repository. */
  file: string;
  line: number | null;
  title: string;
  message: string;
}

type Finding = ScanReport['findings'][number];

/** GitHub shows ten of each level a step (docs, workflow commands); more would push out what matters. */
const MOST = 10;
const WORST_FIRST: Finding['severity'][] = ['critical', 'high', 'unknown', 'medium', 'low', 'info'];

/** Findings in files of the repository, the worst first. What lies in an image has no file that a reader could open. */
export function annotationsOf(reports: readonly ScanReport[]): Annotation[] {
  const all = reports.flatMap(({ tool, findings }) =>
    findings.flatMap((finding) => {
      const file = finding.category === 'container' ? null : fileOf(finding);
      return file === null || finding.suppressed !== null ? [] : [{ finding, file, tool: tool.name }];
    }),
  );
  const sorted = all.sort((a, b) => WORST_FIRST.indexOf(a.finding.severity) - WORST_FIRST.indexOf(b.finding.severity));
  return sorted.slice(0, MOST).map(({ finding, file, tool }) => ({
    level: ['critical', 'high', 'unknown'].includes(finding.severity) ? 'warning' : 'notice',
    file,
    line: finding.location.line,
    title: `${tool}: ${finding.severity} ${finding.rule}`,
    message: finding.fixedVersion === null ? finding.title : `${finding.title} (fixed in ${finding.fixedVersion})`,
  }));
}

/** Tools write paths from the folder that they scanned; one that leads out of it is nobody's file. */
function fileOf({ location: { path } }: Finding): string | null {
  const file = path?.replace(/^(\.?\/)+/, '') ?? '';
  return file === '' || file.split('/').includes('..') ? null : file;
}
