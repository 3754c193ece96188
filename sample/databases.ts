/** The scanners' databases, made from the advisories in scan-db/ by the Go program in scan-db/writer. */
import { execFileSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname.replace(/\/build\/sample$/, '/sample');

/** Builds the program that writes the databases, and gives its path. Throws without Go. */
export function buildWriter(binary: string): string {
  const env = { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', GOWORK: 'off' };
  execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(here, 'scan-db', 'writer'), env, stdio: 'inherit' });
  return binary;
}

/** Trivy's cache with these files of scan-db/trivy, or without a database for null. */
export function writeTrivyDatabase(writer: string, cache: string, advisories: readonly string[] | null): void {
  rmSync(cache, { recursive: true, force: true });
  if (advisories !== null)
    execFileSync(writer, ['trivy', cache, ...advisories.map((name) => join(here, 'scan-db', 'trivy', `${name}.yaml`))]);
}

/** OSV's cache, with all of scan-db/osv. */
export function writeOsvDatabase(writer: string, cache: string): void {
  execFileSync(writer, ['osv', cache, ...globSync(join(here, 'scan-db', 'osv', '*.json')).sort()]);
}
