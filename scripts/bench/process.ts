import { spawnSync } from 'node:child_process';

/** One program with what it is given; nothing of our environment but the PATH reaches it. */
export interface Process {
  /** This very Node where none is named. */
  program?: string;
  args: string[];
  env?: Record<string, string>;
  /** How it ends; 0 where it is not said. */
  exit?: number;
}

export interface Ended {
  ms: number;
  stdout: string;
  stderr: string;
}

/** Runs one whole process. Throws when it does not end as it should: a failure is not to be timed. */
export function run({ program = process.execPath, args, env, exit = 0 }: Process): Ended {
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(program, args, {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== exit)
    throw new Error(`${program} ${args.join(' ')} ended with exit ${status}: ${stdout.slice(0, 500)}${stderr}`);
  return { ms, stdout, stderr };
}

/** The same for a program of Node, with the most memory that it had, in MB. */
export function runWithPeak({ args, ...rest }: Process): Ended & { peak: number } {
  const hook =
    "data:text/javascript,process.on('exit',()=>process.stderr.write(`\\nPEAK ${process.resourceUsage().maxRSS}\\n`))";
  const ended = run({ ...rest, args: ['--import', hook, ...args] });
  return { ...ended, peak: Number(/PEAK (\d+)/.exec(ended.stderr)?.[1] ?? Number.NaN) / 1024 };
}

/** Medians in milliseconds of `runs` alternating rounds; the first round fills the file system's caches and is not counted. */
export function medians(processes: readonly Process[], runs: number): number[] {
  const times = processes.map(() => [] as number[]);
  for (let round = -1; round < runs; round++) {
    for (const [i, each] of processes.entries()) {
      const { ms } = run(each);
      if (round >= 0) (times[i] as number[]).push(ms);
    }
  }
  return times.map((each) => each.toSorted((a, b) => a - b)[Math.floor(runs / 2)] as number);
}

/** Heading of a table of such processes. */
export function heading(what: string): string {
  return `${what.padEnd(50)}        ms    ratio  target   peak MB`;
}

/** One line of it. `peak` null: of other programs it is not known. */
export function line(
  name: string,
  ms: number,
  ratio: number,
  peak: number | null,
  target: number | null = null,
): string {
  const bar = (target === null ? '' : `≤ ${target}×`).padEnd(7);
  const figures = `${ms.toFixed(1).padStart(9)}  ${ratio.toFixed(2).padStart(6)}×`;
  return `${name.padEnd(50)} ${figures}  ${bar}  ${peak === null ? '      –' : peak.toFixed(0).padStart(7)}`;
}
