import { readFileSync } from 'node:fs';
import { recordedAnswer, reportsAnswer } from '../../../src/commands/scan-answer.ts';
import type { ScanReport } from '../../../src/contract/scan-report.ts';
import { normalise } from '../../../src/scan/index.ts';

const reportOf = (tool: string, bytes = readFileSync(`sample/reports/${tool}.json`)): ScanReport =>
  normalise({ bytes, tool, subject: { image: null, platform: null, commit: null }, now: 0 });
const good = reportOf('trivy');
const failed = reportOf('semgrep', Buffer.alloc(0));
const recorded = (report: ScanReport, i: number) => ({ report, key: `v1/records/${i}`, receipt: {} });

describe('what scans say', () => {
  it('begins with the one that failed, wherever it stood', () => {
    const { exit, text, refusal, summary } = reportsAnswer([good, failed]);
    expect(exit).toBe(1);
    expect(text).toMatch(/^semgrep: error/);
    expect(refusal).toMatch(/^1 of 2 scans not complete: semgrep \(empty_file: .+\)$/);
    expect(summary?.()).toMatch(/^## ⛔ 1 of 2 scans not complete: semgrep\n[\s\S]*✖ semgrep[\s\S]*✔ trivy/);
  });

  it.each([
    [[good], '1 scan complete'],
    [[good, good], '2 scans complete'],
    [[failed], '1 scan not complete: semgrep'],
    [[failed, good, failed], '2 of 3 scans not complete: semgrep, semgrep'],
  ])('counts them', (reports, title) => {
    expect(reportsAnswer(reports).summary?.().split('\n')[0]).toMatch(new RegExp(`^## . ${title}$`, 'u'));
  });
});

describe('what recording scans says', () => {
  const all = [good, reportOf('semgrep')].map(recorded);

  it('is what was recorded, where the scan job has shown what was found', () => {
    const { summary, annotations } = recordedAnswer(all, true);
    expect(summary?.()).toMatch(/^## 🧾 Recorded: 2 scans complete\n[\s\S]*\| `v1\/records\/0` \|/);
    expect(summary?.()).not.toContain('What it found');
    expect(annotations?.()).toEqual([]);
  });

  it('is both, where nobody has', () => {
    const { summary, annotations } = recordedAnswer(all, false);
    expect(summary?.()).toMatch(/What it found[\s\S]*Recorded: 2 scans/);
    expect(annotations?.()).not.toEqual([]);
  });

  it('is of a scan that failed still a refusal', () => {
    const { exit, refusal, summary } = recordedAnswer([good, failed].map(recorded), true);
    expect({ exit, refusal }).toEqual({
      exit: 1,
      refusal: expect.stringContaining('1 of 2 scans not complete: semgrep'),
    });
    expect(summary?.()).toContain('## 🧾 Recorded: 1 of 2 scans not complete: semgrep');
  });
});
