import { styleText } from 'node:util';
import type { Decision, Reason } from '../contract/decision.ts';
import { cell } from '../lib/markdown.ts';
import { plural } from '../lib/plural.ts';

const MARK = { pass: '✔', fail: '✖', waived: '≈', skipped: '–' } as const;
const COUNTED = { fail: 'failed', pass: 'passed', waived: 'waived', skipped: 'not judged' } as const;
const STYLE = { pass: 'green', fail: 'red', waived: 'yellow', skipped: 'gray' } as const;

type Paint = (style: 'green' | 'red' | 'yellow' | 'gray' | 'bold', text: string) => string;
const PLAIN: Paint = (_, text) => text;

/** One reason on one line: its mark, its rule, what it says. */
export function reasonLine(reason: Reason, paint: Paint = PLAIN): string {
  return `${paint(STYLE[reason.outcome], MARK[reason.outcome])} ${reason.rule.padEnd(22)} ${reason.message}`;
}

/** The decision for a terminal: what fails first, with its fix and citation, then the rest in a line each. */
export function explainDecision(decision: Decision, colour: boolean): string {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const head = paint(
    'bold',
    paint(
      decision.outcome === 'allow' ? 'green' : 'red',
      `${decision.outcome.toUpperCase()}${decision.simulated ? ' (simulated)' : ''}`,
    ),
  );
  const rest = decision.reasons.filter((reason) => reason.outcome !== 'fail');
  return [
    `${head}${decision.stage === null ? ':' : ''} ${[about(decision), ...imagesOf(decision)].join(': ')}`,
    ...failureLines(decision.reasons, paint),
    ...rest.map((reason) => reasonLine(reason, paint)),
  ].join('\n');
}

/** What failed for a terminal, each with its fix and citation. */
export function failureLines(reasons: readonly Reason[], paint: Paint = PLAIN): string[] {
  return failures(reasons).flatMap((reason) => [
    reasonLine(reason, paint),
    ...(reason.fix === null ? [] : [`    fix: ${reason.fix}`]),
    paint('gray', `    supports ${reason.controls.join(', ')}`),
  ]);
}

/** The same as a table in Markdown; nothing where nothing failed. */
export function failureTable(reasons: readonly Reason[]): string[] {
  const rows = failures(reasons).map(
    ({ rule, message, fix, controls }) =>
      `| \`${rule}\` | ${cell(message)} | ${cell(fix ?? '')} | ${controls.join('<br>')} |`,
  );
  return rows.length === 0 ? [] : ['', '| Rule | What is wrong | What to do | Supports |', '|--|--|--|--|', ...rows];
}

/** The same for who reads one line: the first rule that failed, why, and how many more did. */
export function firstFailure(reasons: readonly Reason[]): string {
  const [first, ...more] = failures(reasons);
  if (first === undefined) return 'no rule: nothing was judged';
  const others = more.length === 0 ? '' : ` (and by ${plural(more.length, 'more rule')})`;
  return `${first.rule}: ${first.message}${others}`;
}

/** The decision as Markdown for a job summary: understood in ten seconds by who wants to know what to do. */
export function summariseDecision(decision: Decision): string {
  const counts = Object.entries(COUNTED).flatMap(([outcome, counted]) => {
    const { length } = decision.reasons.filter((reason) => reason.outcome === outcome);
    return length === 0 ? [] : [`${length} ${counted}`];
  });
  return [
    `## ${decision.outcome === 'allow' ? '✅ Allowed' : '⛔ Denied'}${decision.simulated ? ' (simulated)' : ''}: ${cell(about(decision))}`,
    ...imagesOf(decision).flatMap((images) => ['', cell(images)]),
    ...failureTable(decision.reasons),
    '',
    `Rules: ${counts.join(', ')} · decision \`${decision.id}\` at ${decision.now}`,
  ].join('\n');
}

/** The denial in one line, or nothing of a decision that allows. */
export function refusalOf(decision: Decision): string | undefined {
  if (decision.outcome === 'allow') return undefined;
  return `DENY ${decision.stage === null ? '' : `${about(decision)} `}by ${firstFailure(decision.reasons)}`;
}

function failures(reasons: readonly Reason[]): Reason[] {
  return reasons.filter(({ outcome }) => outcome === 'fail');
}

/** Without facts nothing says what was to be decided. */
function about({ stage, environment, reasons }: Decision): string {
  if (stage !== null) return `${stage} to ${environment}`;
  return reasons.some(({ rule }) => rule === 'workflow_untrusted')
    ? 'this job is not part of the trusted workflow'
    : 'these facts cannot be judged';
}

/** All images in one text, or none. */
function imagesOf({ subjects }: Decision): string[] {
  return subjects.length === 0 ? [] : [subjects.map(({ name, digest }) => `${name}@${digest}`).join(', ')];
}
