import { type Html, html } from './html.ts';

/** Rows of a table that a page can bear; the query shows the rest. */
export const SHOWN = 500;

export interface Column<R> {
  head: string;
  cell(row: R): Html | string | number | null;
  /** A number, a time, text that needs room, text that must not be broken. */
  kind?: 'n' | 'when' | 'wide' | 'whole';
}

/** A table with a caption; what is too long for a page says how to see all of it. */
export function table<R>(
  caption: string,
  columns: readonly Column<R>[],
  rows: readonly R[],
  all: Html | null = null,
): Html {
  if (rows.length === 0) return html`<p class="none">None.</p>`;
  const shown = rows.slice(0, SHOWN);
  const left = rows.length - shown.length;
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ head, kind }) => html`<th scope="col"${attribute(kind)}>${head}</th>`)}</tr></thead>
<tbody>${shown.map(
    (
      row,
    ) => html`<tr>${columns.map(({ cell, kind }) => html`<td${attribute(kind)}>${cell(row) ?? html`<small>–</small>`}</td>`)}</tr>
`,
  )}</tbody></table></div>${left === 0 ? null : html`<p>${left} more rows are not shown here. ${all}</p>`}`;
}

function attribute(kind: Column<never>['kind']): Html | null {
  return kind === undefined ? null : html` class="${kind}"`;
}

/** A time as people read it, UTC. */
export function when(value: unknown): Html | null {
  return typeof value === 'string'
    ? html`<time datetime="${value}">${value.slice(0, 19).replace('T', ' ')}</time>`
    : null;
}

/** A digest that can be told from others, whole on hovering. */
export function short(value: unknown): Html | null {
  if (typeof value !== 'string') return null;
  return html`<code title="${value}">${value.startsWith('sha256:') ? `${value.slice(0, 19)}…` : value}</code>`;
}
