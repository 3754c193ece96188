import { parseDuration } from '../lib/time.ts';
import type { ContractFile } from './contract-file.ts';
import { hostedWeaknesses } from './hosted-weaknesses.ts';
import { clusterOrHost } from './target.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

/**
 * What a valid contract permits that production should not: shown by `contract check`, with the path and why. Limits are ours,
 * each with its reason beside it; a platform team may keep a weakness on purpose.
 */
export function weaknesses(file: ContractFile): { path: string; why: string }[] {
  const found: { path: string; why: string }[] = [];
  const weak = (path: string, why: string) => found.push({ path, why });
  const longer = (text: string | undefined, limit: number) =>
    text !== undefined && (parseDuration(text) as number) > limit;

  if (file.trust.profile === 'local')
    weak(
      'trust.profile',
      'profile local: the machine’s clock and a file play time and platform; it shows how things work and proves nothing about people',
    );
  if (longer(file.register['max-age'], DAY))
    weak('register.max-age', 'a revocation may stay unseen for more than 24 h');
  if (longer(file.trust['max-skew'], 300_000)) weak('trust.max-skew', 'a clock may be wrong by more than 5 minutes');
  if (file.evidence.store.startsWith('file:'))
    weak('evidence.store', 'a directory is tamper-evident only: it has no lock');
  for (const [category, scanner] of Object.entries(file.scanners)) {
    if (scanner === undefined) continue;
    if (longer(scanner['database-max-age'], 7 * DAY))
      weak(`scanners.${category}.database-max-age`, 'findings of more than a week may be unknown to the scanner');
    if (scanner.importers.length > 0)
      weak(`scanners.${category}.importers`, 'reports are accepted from runs that this pipeline did not make');
  }
  for (const [name, environment] of Object.entries(file.environments)) {
    const at = `environments.${name}`;
    if (environment.isolation !== 'job') weak(`${at}.isolation`, 'the build may have run beside the key that signs it');
    if (environment.build === 'adopted') weak(`${at}.build`, 'images that we did not build are promoted');
    if (longer(environment['decision-lifetime'], HOUR))
      weak(`${at}.decision-lifetime`, 'an allow may be used long after what it saw has changed');
    if (environment.events.some((event) => event.startsWith('pull_request') || event.startsWith('merge_request')))
      weak(`${at}.events`, 'a run that a proposed change starts is promoted before anybody has accepted the change');
    if (environment['unknown-severity'] === 'allow')
      weak(`${at}.unknown-severity`, 'a finding whose severity nobody knows is let through');
    if (longer(environment['max-evidence-age'], 7 * DAY))
      weak(`${at}.max-evidence-age`, 'a scan of more than a week ago still counts');
    if (environment.approvals.strength === 'job')
      weak(`${at}.approvals.strength`, 'an approval is not bound to the run or the digest');
    if (environment.reviews === 0) weak(`${at}.reviews`, 'an unreviewed change is promoted');
    if (!environment['deny-severities'].includes('critical'))
      weak(`${at}.deny-severities`, 'critical findings are let through');
    for (const [index, target] of environment.targets.entries())
      if (target.manifests === undefined && !Object.hasOwn(file.clusters, clusterOrHost(target)))
        weak(
          `${at}.targets[${index}]`,
          'no manifests: a commit to any branch of any repository is recorded as its deploy',
        );
  }
  return [...found, ...hostedWeaknesses(file)];
}
