/** What stopped an installation, with the way out of it. */

import { readFileSync } from 'node:fs';

/** A tool could not be installed: `message` says what happened, `fix` what to do, `log` where the output is. */
export class InstallError extends Error {
  readonly code = 'tool-not-installed';
  readonly fix: string;
  readonly log: string | null;

  constructor(message: string, options: { fix: string; cause?: unknown; log?: string | null }) {
    super(message, { cause: options.cause });
    this.name = 'InstallError';
    this.fix = options.fix;
    this.log = options.log ?? null;
  }

  withLog(log: string | null): InstallError {
    return new InstallError(this.message, { fix: this.fix, cause: this.cause, log });
  }
}

/** Gives what a person is to read about an error: what happened, the end of the log, what to do. */
export function explain(error: unknown): string {
  if (!(error instanceof InstallError)) {
    return `error: ${(error as Error).message}`;
  }
  const { message, fix, log } = error;
  const output = log === null ? [] : [...lastLines(log, 20).map((line) => `  | ${line}`), `  log: ${log}`];
  return [`error: ${message}`, ...output, `  fix: ${fix}`].join('\n');
}

/** Gives the last lines of a log, oldest first, without blank ones. */
export function lastLines(log: string, count: number): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').slice(-count);
}

/** Gives the fix for a failed build, from what it printed. */
export function fixFor(output: string): string {
  const known = FIXES.find(({ symptom }) => symptom.test(output));
  return known?.fix ?? 'the lines above and the log say why; run the same command again when that is mended';
}

const FIXES: readonly { symptom: RegExp; fix: string }[] = [
  {
    symptom: /checksum mismatch|DO NOT MATCH THE HASHES/,
    fix: 'what was downloaded is not what the pin names: do not use it. Restore tools/ with git; where it is unchanged, look at who stands between you and the registry',
  },
  {
    symptom: /requires go >=|is not in std|GOEXPERIMENT/,
    fix: 'this Go is too old: install the version that the message asks for from https://go.dev/dl/ and put it first on the PATH',
  },
  {
    symptom: /missing go\.sum entry|updates to go\.mod needed|malformed go\.sum/,
    fix: 'the pin is not complete: restore tools/go with git, or make the pin again (tools/README.md)',
  },
  {
    symptom: /ensurepip/,
    fix: "install Python's venv module (Debian: apt-get install python3-venv); where it is there, the disk may be full",
  },
  {
    symptom: /No space left|no space left|disk quota/i,
    fix: 'free some space, or set GATEHOUSE_TOOLS to another disk',
  },
  {
    symptom: /No matching distribution/,
    fix: 'the package index has no wheel of this version for this Python and machine: use Python 3.11 on Linux',
  },
  { symptom: /Could not get lock|Permission denied|are you root|a password is required/, fix: 'run it as root' },
  {
    symptom:
      /dial tcp|i\/o timeout|no such host|Temporary failure|Could not resolve|Connection (?:refused|reset|timed out)|NewConnectionError/i,
    fix: 'the network or the registry was not reachable: check the proxy settings (GOPROXY, pip config), then run the same command again',
  },
];
