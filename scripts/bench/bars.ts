import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What is promised of the program that ships: starts as ratios to a bare `node -e 0`, the bytes of dist, and the MB that an index of up to
 * 100,000 records takes.
 */
export const BARS = { help: 2.3, judge: 4, dist: 6_000_000, index: 1200 };

/** Whether a figure misses its bar; one that is no number does. */
export const misses = (figure: number, bar: number | null): boolean => bar !== null && !(figure <= bar);

/** Bytes of all files in a folder and below. */
export function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
