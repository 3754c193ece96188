import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { editContract } from './direct.ts';
import { keysIn, recordAt, type Scene } from './gate-scene.ts';
import { cleanEnvironment, type Ended, runAside } from './sandbox.ts';

/** Words that the program refuses: its exit code, the error's code, and what its message must say. */
export type Refused = [what: string, words: (site: Site) => string[], code: 1 | 2 | 3, error: string, message: RegExp];

/** Starts the site's program with these words and `--json`. */
export const program = (site: Site, words: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runAside(process.execPath, [site.program, ...words, '--json'], cleanEnvironment(site.folder, env));

/** The role's key in a file of its own, as the flag takes it. */
export function keyFlag(site: Site, role: string, pem = site.keys.get(role) as string): string[] {
  const file = site.path(`${role}.pem`);
  writeFileSync(file, pem, { mode: 0o600 });
  return ['--key', `file://${file}`];
}

/** A key file with these contents, as the flag takes it. */
export function odd(site: Site, name: string, pem: string): string[] {
  writeFileSync(join(site.folder, name), pem);
  return ['--key', `file://${join(site.folder, name)}`];
}

/**
 * The program ends with the code of its family and one JSON document on stdout; its message helps; it prints no stack and no
 * key; and neither store nor registry has anything more or less than before, but for the records that it `leaves`: `TYPE OUTCOME` each,
 * sorted, where what could not be judged or attached is itself evidence.
 */
export async function expectRefused(
  scene: Scene,
  site: Site,
  row: Refused,
  leaves: string[] = [],
  env: Record<string, string> = {},
): Promise<void> {
  const [, words, code, error, message] = row;
  const given = words(site);
  const before = { store: storeOf(site), registry: scene.published() };
  const ended = await program(site, given, env);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    status: 'error',
    code: error,
    message: expect.stringMatching(message),
  });
  expect(ended).toMatchObject({ code, stderr: expect.stringMatching(/^error: /m) });
  expect(ended.stderr).not.toMatch(/\n\s+at |node:internal/);
  expect(ended.stdout + ended.stderr).not.toContain('PRIVATE KEY');
  for (const pem of site.keys.values()) expect(ended.stdout + ended.stderr).not.toContain(pem.split('\n')[1]);
  const after = storeOf(site);
  if (leaves.length > 0) {
    const added = [...after].filter((key) => !before.store.includes(key));
    const records = added.filter((key) => key.startsWith('v1/records/')).map((key) => recordAt(site, key));
    expect(records.map(({ type, outcome }) => `${type} ${outcome}`).sort()).toEqual(leaves);
    expect([...before.store].filter((key) => !after.includes(key))).toEqual([]);
  } else expect(after).toEqual(before.store);
  expect(scene.published()).toEqual(before.registry);
}

/** A registry of the contract where nobody listens is refused within two minutes, as no answer. `words` are given its image. */
export async function nobodyListens(
  scene: Scene,
  site: Site,
  words: (site: Site, image: string) => string[],
  leaves: string[] = [],
): Promise<void> {
  await editContract(site, (contract) => contract.registries.push('127.0.0.1:9'));
  const image = `127.0.0.1:9/care/lab-results@${scene.digest}`;
  const started = Date.now();
  const row: Refused = [
    'a registry where nobody listens',
    () => words(site, image),
    3,
    'registry.unavailable',
    /127\.0\.0\.1:9.*check the registry and the network/,
  ];
  await expectRefused(scene, site, row, leaves);
  expect(Date.now() - started).toBeLessThan(120_000);
}

function storeOf(site: Site): string[] | string {
  try {
    return keysIn(site);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code as string;
  }
}
