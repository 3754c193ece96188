import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../support/sandbox.ts';
import { toolPath } from '../support/tools.ts';

/** A server in a process of its own that prints `{"url":…}` and ends when its standard input is closed. */
export async function startProcess(program: string, args: string[]): Promise<{ host: string; stop(): Promise<void> }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: cleanEnvironment('/nonexistent') });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  return { host: new URL(url).host, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}

/** go-containerregistry's registry. */
export function startGoRegistry(referrers: boolean) {
  return startProcess(toolPath('registry'), [`-referrers=${referrers}`]);
}

/** Runs a tool to its end without blocking the server in this process; gives what it printed. */
export async function runTool(
  name: string,
  args: string[],
  home: string,
  extra: Record<string, string> = {},
): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(toolPath(name), args, {
    env: cleanEnvironment(home, extra),
    timeout: 170_000,
  });
  return stdout + stderr;
}
