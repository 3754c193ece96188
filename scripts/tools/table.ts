/** The list that `npm run tools` prints. */

import { TOOLS, type Tool } from './catalogue.ts';
import { findTool } from './find.ts';
import { versionOf } from './pin.ts';

/** Gives the table of all tools, one a line. */
export function table(): string {
  const rows = [HEADINGS, ...TOOLS.map(row)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  const padded = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return padded.map((cells) => cells.join('  ').trimEnd()).join('\n');
}

const HEADINGS = ['name', 'version', 'installed', 'kind', 'set', 'takes', 'used for'];

function row(tool: Tool): string[] {
  const installed = findTool(tool.name) === null ? 'no' : 'yes';
  return [tool.name, versionOf(tool), installed, tool.kind, tool.group, `${tool.seconds} s`, tool.usedFor];
}
