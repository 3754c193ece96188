import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseTarget } from '../../src/commands/gate-run.ts';
import { requireListed } from '../../src/commands/listed-registry.ts';
import { type Contract, loadContract, parseContract } from '../../src/contract/load-contract.ts';
import { isAbout } from '../../src/contract/target.ts';
import { CALLER, readWorkflow } from '../support/promote-copy.ts';

/*
 * The file that applications copy, workflows/github/promote.yml, is written for the contract beside it: what of it the contract
 * does not allow would be refused at everybody's first run. In a fork these are the fork's.
 */

const SHIPPED = 'workflows/github/promote.yml';
const CONTRACT = 'contract.yml';

interface Caller {
  on: { push?: { branches: string[] }; [event: string]: unknown };
  jobs: { promote: { with: Partial<Record<string, string>>; secrets?: Partial<Record<string, string>> } };
}

/** What of a caller does not fit a contract. */
function faultsOf(text: string, contract: Contract): string[] {
  const { on, jobs } = parse(text) as Caller;
  const { with: given, secrets = {} } = jobs.promote;
  const environment = contract.file.environments[given.environment ?? ''];
  if (environment === undefined) return [`there is no environment ${given.environment}`];
  const { events, refs, targets } = environment;
  const started = Object.keys(on).filter((event) => event !== 'pull_request');
  const branches = (on.push?.branches ?? []).map((branch) => `refs/heads/${branch}`);
  const target = parseTarget(given.target ?? '');
  const about = targets.filter((pattern) => isAbout(pattern, target));
  const method = given.method ?? (readWorkflow().on.workflow_call.inputs.method as { default: string }).default;
  return [
    ...started.filter((event) => !events.includes(event)).map((event) => `it starts on ${event}`),
    ...branches.filter((ref) => !refs.includes(ref)).map((ref) => `it starts on ${ref}`),
    ...listed(given.image ?? '', contract),
    ...(about.length === 0 ? [`${given.target} is no target`] : []),
    ...(method === 'gitops' ? manifestFaults(given, about, contract) : []),
    ...(method === 'gitops' && given['manifest-repository'] !== undefined && secrets['manifest-token'] === undefined
      ? ['it hands on no manifest-token: its own token may not push to another repository']
      : []),
    ...(method === 'gitops' || ('cluster' in target && target.cluster in contract.file.clusters)
      ? []
      : ['its cluster is not in clusters']),
  ];
}

function listed(image: string, contract: Contract): string[] {
  try {
    requireListed(image, contract);
    return [];
  } catch (thrown) {
    return [(thrown as Error).message];
  }
}

/** The deploy takes a clone of what the contract gives the target, at that branch, and refuses any other. */
function manifestFaults(
  given: Partial<Record<string, string>>,
  about: Contract['file']['environments'][string]['targets'],
  { file }: Contract,
): string[] {
  const allowed = about.flatMap(({ manifests }) => (manifests === undefined ? [] : [manifests]));
  const hosts = file.platforms.flatMap((platform) => (platform.kind === 'github' ? [platform.host] : []));
  const taken = `branch ${given['manifest-branch']} of ${given['manifest-repository']}`;
  const fits = allowed.some(
    ({ repository, branch }) =>
      branch === given['manifest-branch'] &&
      hosts.some((host) => repository.replace(/\.git$/, '') === `https://${host}/${given['manifest-repository']}`),
  );
  return allowed.length === 0 || fits ? [] : [`its manifest is taken from ${taken}`];
}

const onGithub = loadContract(CONTRACT).file.platforms.some(({ kind }) => kind === 'github');

describe('the caller that applications copy', () => {
  it('fits the contract', () => {
    expect(onGithub ? faultsOf(readFileSync(SHIPPED, 'utf8'), loadContract(CONTRACT)) : []).toEqual([]);
  });

  const caller = readFileSync(CALLER, 'utf8');
  const contract = readFileSync('test/fixtures/contract.yml', 'utf8');
  const faults = (text: string, rules = contract) => faultsOf(text, parseContract(Buffer.from(rules), CONTRACT));

  it('fits as it is shipped', () => {
    expect(faults(caller)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, RegExp]>([
    ['an environment', 'environment: production', 'environment: staging', /no environment staging/],
    ['a registry', 'ghcr.io/example-health/', 'ghcr.io/other/', /not in a registry of contract\.yml/],
    ['a target', 'target: production/web', 'target: production/api', /is no target/],
    ['a branch to start on', 'branches: [main]', 'branches: [main, next]', /starts on refs\/heads\/next/],
    ['an event', 'pull_request:', 'schedule:', /starts on schedule/],
    ['no repository of the manifest', /\n +manifest-repository: .*/, '', /taken from branch main of undefined/],
    [
      'another repository',
      'example-health/gitops',
      'example-health/web',
      /taken from branch main of example-health\/web/,
    ],
    ['no branch of the manifest', /\n +manifest-branch: .*/, '', /taken from branch undefined/],
    ['no token for the manifest', /\n +secrets:\n.*/, '', /no manifest-token/],
    ['a cluster that is deployed to', 'manifest-branch: main', 'method: kubernetes', /not in clusters/],
  ])('would be found to name %s that the contract does not', (_, from, to, fault) => {
    const planted = caller.replace(from, to);
    expect(planted).not.toBe(caller);
    expect(faults(planted)).toContainEqual(expect.stringMatching(fault));
  });

  it.each([
    ['registries', 'registries: [ghcr.io/example-health]', 'registries: [registry.example.org]'],
    ['manifests', 'example-health/gitops, branch: main', 'example-health/gitops, branch: live'],
    ['targets', 'namespace: web', 'namespace: api'],
    ['refs', 'refs: [refs/heads/main]', 'refs: [refs/heads/live]'],
  ])('would be found not to fit other %s', (_, from, to) => {
    expect(contract).toContain(from);
    expect(faults(caller, contract.replace(from, to))).toHaveLength(1);
  });
});
