import { styleText } from 'node:util';
import type { Decision, Reason } from '../contract/decision.ts';
import { cell } from '../lib/markdown.ts';

const MARK = { pass: '✔', fail: '✖', waived: '≈', skipped: '–' } as const;
const STYLE = { pass: 'green', fail: 'red', waived: 'yellow', skipped: 'gray' } as const;

type Paint = (style: 'green' | 'red' | 'yellow' | 'gray' | 'bold', text: string) => string;

/** One reason on one line: its mark, its rule, what it says. */
export function reasonLine(reason: Reason, paint: Paint = (_, text) => text): string {
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
  const failed = decision.reasons.filter((reason) => reason.outcome === 'fail');
  const rest = decision.reasons.filter((reason) => reason.outcome !== 'fail');
  const line = (reason: Reason) => reasonLine(reason, paint);
  return [
    `${head} ${about(decision)}`,
    ...failed.flatMap((reason) => [
      line(reason),
      ...(reason.fix === null ? [] : [`    fix: ${reason.fix}`]),
      paint('gray', `    supports ${reason.controls.join(', ')}`),
    ]),
    ...rest.map(line),
  ].join('\n');
}

/** The decision as Markdown for a job summary: understood in ten seconds by who wants to know what to do. */
export function summariseDecision(decision: Decision): string {
  const failed = decision.reasons.filter((reason) => reason.outcome === 'fail');
  const counts = (['pass', 'waived', 'skipped'] as const).map(
    (outcome) => `${decision.reasons.filter((reason) => reason.outcome === outcome).length} ${outcome}`,
  );
  return [
    `## ${decision.outcome === 'allow' ? '✅ Allowed' : '⛔ Denied'}${decision.simulated ? ' (simulated)' : ''}: ${cell(about(decision))}`,
    ...(failed.length === 0 ? [] : ['| Rule | What is wrong | What to do | Supports |', '|--|--|--|--|']),
    ...failed.map(
      (reason) =>
        `| \`${reason.rule}\` | ${cell(reason.message)} | ${cell(reason.fix ?? '')} | ${reason.controls.join('<br>')} |`,
    ),
    '',
    `${failed.length} failed, ${counts.join(', ')} · decision \`${decision.id}\` at ${decision.now}`,
  ].join('\n');
}

function about(decision: Decision): string {
  const images = decision.subjects.map((subject) => `${subject.name}@${subject.digest}`).join(', ');
  return `${decision.stage ?? 'no stage'} to ${decision.environment ?? 'no environment'}${images === '' ? '' : `: ${images}`}`;
}
