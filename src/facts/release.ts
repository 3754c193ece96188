import type { Register } from '../contract/register.ts';
import type { Run } from '../contract/run.ts';
import { parseTime } from '../lib/time.ts';

/** Digests of the very release that runs. */
export interface RunningRelease {
  distDigest: string;
  contractDigest: string;
  policyDigest: string;
}

/**
 * The registered version that runs here, or null: its three digests must be listed, not below the register's minimum version,
 * not past `notAfter`, and on a platform with verified workflow claims the commit that the claims name must be one of that
 * release.
 */
export function releaseOf(
  register: Register,
  running: RunningRelease,
  at: { run: Run; jobSha: string | null },
  now: number,
): string | null {
  const found = register.releases.find(
    (release) =>
      release.distDigest === running.distDigest &&
      release.contractDigest === running.contractDigest &&
      release.policyDigest === running.policyDigest &&
      isAtLeast(release.version, register.minimumVersion) &&
      (release.notAfter === null || now < (parseTime(release.notAfter) as number)) &&
      (at.jobSha === null ||
        release.commits.some(
          (commit) => commit.platform === at.run.platform && commit.host === at.run.host && commit.sha === at.jobSha,
        )),
  );
  return found?.version ?? null;
}

/** Whether a version such as `1.10.0` is not below another. What is not three numbers, such as a pre-release, is below all. */
function isAtLeast(version: string, minimum: string): boolean {
  const [own, least] = [numbersOf(version), numbersOf(minimum)];
  if (own === null || least === null) return false;
  const differing = own.findIndex((number, i) => number !== least[i]);
  return differing === -1 || (own[differing] as number) > (least[differing] as number);
}

function numbersOf(version: string): number[] | null {
  const match = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/.exec(version);
  return match === null ? null : match.slice(1).map(Number);
}
