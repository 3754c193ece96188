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
 * The registered version that runs here, or null: its three digests must be listed, not past `notAfter`, and on a platform with
 * verified workflow claims the commit that the claims name must be one of that release.
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
      (release.notAfter === null || now < (parseTime(release.notAfter) as number)) &&
      (at.jobSha === null ||
        release.commits.some(
          (commit) => commit.platform === at.run.platform && commit.host === at.run.host && commit.sha === at.jobSha,
        )),
  );
  return found?.version ?? null;
}
