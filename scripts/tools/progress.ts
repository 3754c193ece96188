/** One line a tool: on a terminal it lives while the tool is made, in a log it is begun and later ended. */

import type { WriteStream } from 'node:tty';
import { lastLines } from './failure.ts';

export interface Progress {
  /** Shows the end of this log from now on. */
  onLog: (log: string) => void;
  /** Ends the line with what came of it. */
  end: (outcome: string) => void;
}

/** Begins a line. `expected` is about how many seconds it takes. */
export function beginProgress(label: string, expected: number, output: WriteStream = process.stdout): Progress {
  if (!output.isTTY) {
    output.write(`${label}: about ${expected} s ... `);
    return { onLog: () => {}, end: (outcome) => output.write(`${outcome}\n`) };
  }
  const start = Date.now();
  let log: string | null = null;
  const draw = () => {
    const line = `${label}: ${secondsSince(start)} of about ${expected} s  ${log === null ? '' : lastLine(log)}`;
    output.write(`\r${CLEAR}${line.slice(0, output.columns - 1)}`);
  };
  const timer = setInterval(draw, 500);
  draw();
  return {
    onLog: (path) => {
      log = path;
    },
    end: (outcome) => {
      clearInterval(timer);
      output.write(`\r${CLEAR}${label}: ${outcome}\n`);
    },
  };
}

/** Whole seconds since a time in milliseconds. */
export function secondsSince(start: number): number {
  return Math.round((Date.now() - start) / 1000);
}

/** What a program prints may hold colours and carriage returns, which would break the line. */
function lastLine(log: string): string {
  const [line = ''] = lastLines(log, 1);
  return line.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
}

/** Erases from the cursor to the end of the line (ECMA-48, EL). */
const CLEAR = '\u001b[K';
