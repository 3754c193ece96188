import type { Readable, Writable } from 'node:stream';
import { type RegistryServerOptions, startRegistry } from './start.ts';

/**
 * A registry as a process of its own: prints one line of JSON, `{"url":…}`, when it can be used, and ends when its parent
 * closes its standard input, so that it never outlives the demonstration that started it.
 */
export async function serveRegistry(
  options: Omit<RegistryServerOptions, 'faults'> = {},
  input: Readable = process.stdin,
  output: Writable = process.stdout,
): Promise<void> {
  const registry = await startRegistry(options);
  output.write(`${JSON.stringify({ url: registry.url })}\n`);
  await new Promise<void>((resolve) => {
    input.once('end', resolve);
    input.once('close', resolve);
    input.once('error', () => resolve());
    input.resume();
  });
  await registry.close();
}
