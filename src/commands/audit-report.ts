import type { OpenIndex } from '../audit/open-index.ts';
import { collect } from '../audit/report/collect.ts';
import { reportPage } from '../audit/report/page.ts';
import { BadInput } from '../lib/errors.ts';
import { plural } from '../lib/plural.ts';
import { parseTime } from '../lib/time.ts';
import { replaceFile } from '../lib/write.ts';
import type { Result } from './command.ts';

/** Writes the report over an open index. Throws BadInput for a range that is none. */
export async function writeReport(
  open: OpenIndex,
  out: string,
  given: { since?: string | undefined; until?: string | undefined },
): Promise<Result> {
  const range = rangeOf(given);
  const found = await collect(open, range);
  replaceFile(out, reportPage(open.index, found, range), 'report');
  const { store, asOf, anchor, ledger, quarantined } = open.index;
  const incomplete = new Set(found.chains.map((row) => row.evidence_key)).size;
  return {
    exit: 0,
    json: { report: out, store, asOf, anchor, ledger, quarantined, deploys: found.deploys.length, incomplete },
    text: `${out}: ${plural(found.deploys.length, 'deploy')}, ${incomplete} of them without a complete approval chain; ${plural(ledger.findings, 'finding')} of the ledger`,
  };
}

/** Checked before minutes of verifying. */
export function rangeOf({ since, until }: { since?: string | undefined; until?: string | undefined }) {
  const at = (name: string, text: string | undefined): number | null => {
    const time = text === undefined ? null : parseTime(text);
    if (text !== undefined && time === null)
      throw new BadInput(
        'inputs.time',
        `--${name} ${text} is no time: write RFC 3339 in UTC, for example 2026-01-31T08:00:00Z`,
      );
    return time;
  };
  const range = { since: at('since', since), until: at('until', until) };
  if (range.since !== null && range.until !== null && range.since >= range.until)
    throw new BadInput('inputs.time', `--since ${since} is not before --until ${until}: nothing lies between them`);
  return range;
}
