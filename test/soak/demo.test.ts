import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { layDemo, REFUSED_BY, type Seen, watchKeys } from '../support/demo.ts';
import { cleanEnvironment, type Ended, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

describe('the demo on a terminal', () => {
  let ended: Ended;
  let temporary: string;
  let seen: Seen[];

  beforeAll(() => {
    const [release, notes] = [sandbox.folder('release'), sandbox.folder('notes')];
    temporary = sandbox.folder('temporary');
    const program = layDemo(release);
    // As in a checkout after npm ci: an auditor's questions take DuckDB.
    symlinkSync(resolve('node_modules'), join(release, 'node_modules'));
    const read = watchKeys(program, join(notes, 'seen'));
    // Of util-linux: gives a program a terminal, and its exit code back.
    ended = run('script', ['-qec', `'${process.execPath}' '${program}' demo`, '/dev/null'], {
      env: cleanEnvironment(notes, { TMPDIR: temporary, TERM: 'xterm', SHELL: '/bin/sh' }),
    });
    seen = read();
  });

  it('shows each step as it is worked on, then its outcome in colour', () => {
    expect({ code: ended.code, end: ended.stdout.slice(-1500) }).toMatchObject({ code: 0 });
    const title = 'refused: the manifest names the image by a tag';
    const working = ended.stdout.indexOf(`\r\u001b[K… ${title}`);
    const outcome = ended.stdout.indexOf(`\u001b[32m⛔\u001b[39m \u001b[1m${title}\u001b[22m`);
    expect(working).toBeGreaterThan(0);
    expect(outcome).toBeGreaterThan(working);
    expect(ended.stdout.match(/⛔/g)).toHaveLength(REFUSED_BY.length);
    expect(ended.stdout).not.toContain('\ufffd');
  });

  it('ends with what came out and what to look at next', () => {
    const [, ending] = ended.stdout.split('One image promoted, 8 refused, one altered record found, in ');
    expect(ending).toMatch(/^\d+ s\.\s+What next\s+gatehouse policy-gate --help .*--keep FOLDER/s);
  });

  it('asks five questions of an auditor and says where the report for an assessor is', () => {
    expect(ended.stdout.match(/✔\S* \S*an auditor asks: /g)).toHaveLength(5);
    const report = join(temporary, 'gatehouse-demo-report.html');
    expect(ended.stdout).toContain(report);
    expect(readFileSync(report, 'utf8')).toContain('lead-1');
  });

  it('leaves nothing but that in the folder for temporary files', () => {
    expect(readdirSync(temporary)).toEqual(['gatehouse-demo-report.html']);
  });

  it('has no key on disk while a step runs but that of its own role, readable by nobody else', () => {
    const roleOf = ({ words: [verb, ...rest] }: Seen) =>
      new Map([
        ['build-sign', rest.includes('sign') ? 'build' : undefined],
        ['scan', 'scan'],
        ['policy-gate', 'gate'],
        ['evidence-emit', 'gate'],
        ['deploy-by-digest', 'deploy'],
        ['ledger', rest[0] === 'checkpoint' ? 'notary' : undefined],
        ['register', rest[0] === 'publish' ? 'release' : undefined],
      ]).get(verb as string);
    const found = seen.map((step) => [step.words[0], step.keys.map(([path, mode]) => `${roleIn(path)} ${mode}`)]);
    const own = seen.map((step) => [step.words[0], roleOf(step) === undefined ? [] : [`${roleOf(step)} 600`]]);
    expect(found).toEqual(own);
    expect(new Set(found.flat(2))).toEqual(
      new Set([
        ...seen.map(({ words: [verb] }) => verb),
        ...['gate', 'build', 'scan', 'deploy', 'notary', 'release'].map((role) => `${role} 600`),
      ]),
    );
  });
});

const roleIn = (path: string) => /\/key-([a-z]+)-[^/]+\/key\.pem$/.exec(path)?.[1] ?? path;

describe('a demo that is ended', () => {
  let program: string;
  beforeAll(() => {
    program = layDemo(sandbox.folder('release'));
  });

  /** Starts the demo and ends it while a key lies on the disk. `group`: as a terminal does, with all that it has started. */
  async function end(signal: NodeJS.Signals, group: boolean, keep: boolean) {
    const temporary = sandbox.folder('temporary');
    const kept = join(temporary, 'kept');
    const child = spawn(process.execPath, [program, 'demo', ...(keep ? ['--keep', kept] : [])], {
      env: cleanEnvironment(temporary, { TMPDIR: temporary }),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const closed = once(child, 'close');
    const until = Date.now() + 60_000;
    while (keysBelow(temporary).length === 0 && Date.now() < until) await pause(2);
    const before = keysBelow(temporary).length;
    process.kill(group ? -(child.pid as number) : (child.pid as number), signal);
    const [code] = await closed;
    return { before, code, stderr, temporary };
  }

  it.each<[NodeJS.Signals, boolean]>([
    ['SIGINT', true],
    ['SIGTERM', false],
    ['SIGHUP', true],
  ])('by %s (to all of it: %j) leaves neither key nor folder', async (signal, group) => {
    const { before, code, stderr, temporary } = await end(signal, group, false);
    expect({ before, code, stderr }).toEqual({
      before: 1,
      code: 3,
      stderr: expect.stringContaining(`the demo was ended by ${signal}`),
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('leaves no key in a folder that is kept', async () => {
    const { before, code, temporary } = await end('SIGTERM', false, true);
    expect({ before, code }).toEqual({ before: 1, code: 3 });
    expect(existsSync(join(temporary, 'kept', 'site', 'store'))).toBe(true);
    expect(keysBelow(temporary)).toEqual([]);
  });
});

/** Files with a key, and the folders that are made for one. */
function keysBelow(temporary: string): string[] {
  return readdirSync(temporary).flatMap((name) => {
    const site = join(temporary, name, 'site');
    return existsSync(site) ? readdirSync(site).filter((entry) => entry.startsWith('key-')) : [];
  });
}
