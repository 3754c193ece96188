import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, runAside, type sandboxes } from './sandbox.ts';

const LISTEN = `import { registerHooks } from 'node:module';
import { appendFileSync } from 'node:fs';
registerHooks({ load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n');
  return next(url, context);
} });`;

export interface Loaded {
  code: number | null;
  stdout: string;
  /** Modules and chunks in the order in which they were loaded. */
  urls: string[];
  /** The text of all JavaScript among them. */
  text: string;
}

/** How a program ends, and what it loads on its way. */
export async function loadedBy(
  sandbox: ReturnType<typeof sandboxes>,
  words: string[],
  env: Record<string, string> = {},
  program = 'build/dist/gatehouse.js',
): Promise<Loaded> {
  const folder = sandbox.folder('loaded');
  const [hook, seen] = [join(folder, 'hook.mjs'), join(folder, 'seen')];
  writeFileSync(hook, LISTEN);
  writeFileSync(seen, '');
  const given = cleanEnvironment(folder, { ...env, LOADED: seen });
  const { code, stdout } = await runAside(process.execPath, ['--import', hook, program, ...words], given);
  const urls = readFileSync(seen, 'utf8').split('\n').filter(Boolean);
  const files = urls.filter((url) => /^file:.*js$/.test(url));
  return { code, stdout, urls, text: files.map((url) => readFileSync(new URL(url), 'utf8')).join('') };
}
