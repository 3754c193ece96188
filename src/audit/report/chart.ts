import { type Html, html } from './html.ts';

/** Counts of one day, week or month. */
export interface Bucket {
  label: string;
  deployed: number;
  refused: number;
}

const DAY = 86_400_000;

/** Times (RFC 3339) in buckets of days, weeks or months, so that there are at most about thirty; empty ones between are shown. */
export function bucketsOf(events: readonly { time: string; refused: boolean }[]): Bucket[] {
  const times = events.map(({ time }) => Date.parse(time));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (events.length === 0) return [];
  const days = (last - first) / DAY;
  const labelOf = days <= 31 ? dayOf : days <= 217 ? weekOf : monthOf;
  const buckets = new Map<string, Bucket>();
  for (let at = first; at <= last + DAY; at += DAY) {
    const label = labelOf(Math.min(at, last));
    buckets.set(label, buckets.get(label) ?? { label, deployed: 0, refused: 0 });
  }
  for (const { time, refused } of events) {
    const bucket = buckets.get(labelOf(Date.parse(time))) as Bucket;
    if (refused) bucket.refused++;
    else bucket.deployed++;
  }
  return [...buckets.values()];
}

const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7);
/** Weeks are named by their Monday. */
const weekOf = (at: number) => dayOf(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY);

/** Deploys over time, what was refused on top. The text alternative says every number. */
export function timeChart(buckets: readonly Bucket[]): Html {
  const most = Math.max(1, ...buckets.map(({ deployed, refused }) => deployed + refused));
  const [height, left, width] = [150, 34, 640];
  const step = Math.min(64, width / Math.max(1, buckets.length));
  const bar = Math.min(28, step * 0.7);
  const y = (count: number) => height - (count / most) * (height - 18);
  const every = Math.ceil(buckets.length / 8);
  const said = buckets
    .filter(({ deployed, refused }) => deployed + refused > 0)
    .map(({ label, deployed, refused }) => `${label}: ${deployed} deployed, ${refused} not`)
    .join('; ');
  return html`<figure><figcaption>Deploys over time</figcaption>
<svg viewBox="0 0 ${left + width + 20} ${height + 50}" role="img" aria-label="Deploys over time. ${said}">
<line class="axis" x1="${left}" y1="${height}" x2="${left + width}" y2="${height}"/>
<line class="axis" x1="${left}" y1="${y(most)}" x2="${left + width}" y2="${y(most)}"/>
<text class="quiet" x="${left - 6}" y="${y(most) + 4}" text-anchor="end">${most}</text>
<text class="quiet" x="${left - 6}" y="${height + 4}" text-anchor="end">0</text>
${buckets.map(({ label, deployed, refused }, i) => {
  const x = left + 8 + i * step;
  return html`<rect class="a" x="${x}" y="${y(deployed)}" width="${bar}" height="${height - y(deployed)}"/><rect class="b" x="${x}" y="${y(deployed + refused)}" width="${bar}" height="${y(deployed) - y(deployed + refused)}"/>${i % every === 0 ? html`<text class="quiet" x="${x}" y="${height + 18}">${label}</text>` : null}`;
})}
<rect class="a" x="${left + 8}" y="${height + 33}" width="11" height="11"/><text x="${left + 25}" y="${height + 43}">deployed</text>
<rect class="b" x="${left + 108}" y="${height + 33}" width="11" height="11"/><text x="${left + 125}" y="${height + 43}">refused, failed, or never recorded</text>
</svg></figure>`;
}

/** Counts as bars with their names, the largest first. */
export function barChart(title: string, counts: readonly { label: string; count: number }[]): Html {
  const most = Math.max(1, ...counts.map(({ count }) => count));
  const [row, left, width] = [26, 220, 420];
  const said = counts.map(({ label, count }) => `${label}: ${count}`).join('; ');
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${left + width + 50} ${counts.length * row + 6}" role="img" aria-label="${title}. ${said}">
${counts.map(({ label, count }, i) => {
  const long = (count / most) * width;
  return html`<text x="0" y="${i * row + 18}">${label.length > 32 ? `${label.slice(0, 31)}…` : label}</text><rect class="b" x="${left}" y="${i * row + 6}" width="${long}" height="16"/><text class="quiet" x="${left + long + 8}" y="${i * row + 18}">${count}</text>`;
})}
</svg></figure>`;
}
