import type { Decision } from '../contract/decision.ts';
import type { Register } from '../contract/register.ts';
import { parseTime } from '../lib/time.ts';
import { DeployRefused } from './refusal.ts';

/** Limits out of the contract and the time, all in milliseconds; `release` is the registered version that runs here, or null. */
export interface RegisterLimits {
  now: number;
  maxAge: number;
  maxSkew: number;
  release: string | null;
}

/**
 * What may have changed since the decision: the newest register must be fresh, not older than the one that was judged by, list
 * the release that runs here and one with the contract and policy that were judged by, and revoke no part of the image. Throws
 * DeployRefused `deploy.decision`.
 */
export function requireRegister(
  register: Register,
  decision: Decision,
  { now, maxAge, maxSkew, release }: RegisterLimits,
): void {
  const refuse = (why: string) =>
    new DeployRefused(
      'deploy.decision',
      `register ${register.number} of ${register.time} does not allow this deploy: ${why}`,
    );
  const age = now - (parseTime(register.time) as number);
  if (age > maxAge || age < -maxSkew)
    throw refuse('it is too old or from the future, so that a revocation may be unseen');
  if (decision.input.registerNumber === null || register.number < decision.input.registerNumber) {
    throw refuse(
      `the decision was made by register ${decision.input.registerNumber ?? '(none)'}: somebody hides the newer one`,
    );
  }
  if (release === null) throw refuse('it lists no release with the program, policy and contract that run here');
  const { contractDigest, policyDigest } = decision.input;
  if (!register.releases.some((each) => each.contractDigest === contractDigest && each.policyDigest === policyDigest))
    throw refuse('it lists no release with the contract and policy by which the decision was made');
  const digests = decision.subjects.map((subject) => subject.digest);
  const revoked = register.revokedDigests.find((each) => digests.includes(each.digest));
  if (revoked !== undefined) throw refuse(`${revoked.digest} is revoked since ${revoked.since}: ${revoked.reason}`);
}
