import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type ContractFile, contractFile } from '../../../src/contract/contract-file.ts';
import { weaknesses } from '../../../src/contract/weaknesses.ts';

/** Our own contract with one value put at a path. */
function contractWith(path: string[], value: unknown): ContractFile {
  const contract = contractFile.parse(parse(readFileSync('test/fixtures/contract.yml', 'utf8')));
  const place = path.slice(0, -1).reduce((node, name) => Reflect.get(node, name), contract as object);
  Reflect.set(place, path.at(-1) as string, value);
  return contract;
}

describe('a contract that could be stronger', () => {
  it('has none of our weaknesses when it is ours', () => {
    expect(weaknesses(contractWith(['organization'], 'example-health'))).toEqual([]);
  });

  it.each([
    ['trust.profile', 'local'],
    ['register.max-age', '25h'],
    ['trust.max-skew', '6m'],
    ['evidence.store', 'file:../store'],
    ['scanners.sca.database-max-age', '8d'],
    ['scanners.sast.importers', ['sidecar@sha256:x']],
    ['environments.production.isolation', 'process'],
    ['environments.production.build', 'adopted'],
    ['environments.production.unknown-severity', 'allow'],
    ['environments.production.max-evidence-age', '8d'],
    ['environments.production.decision-lifetime', '61m'],
    ['environments.production.events', ['push', 'pull_request_target']],
    ['environments.production.events', ['merge_request_event']],
    ['environments.production.approvals.strength', 'job'],
    ['environments.production.reviews', 0],
    ['environments.production.deny-severities', ['high']],
    ['environments.production.targets.0.manifests', undefined],
  ])('is told so at %s (%p)', (path, value) => {
    const found = weaknesses(contractWith(path.split('.'), value));
    expect(found.map((weak) => weak.path)).toEqual([path.replace('.0.manifests', '[0]')]);
    expect(found[0]?.why.length).toBeGreaterThan(20);
  });

  it('is not where nothing is deployed by a commit: the cluster is deployed to directly', () => {
    const file = contractWith(['environments', 'production', 'targets'], [{ cluster: 'production', namespace: 'web' }]);
    const server = 'https://api.production.example.org:6443';
    expect(weaknesses({ ...file, clusters: { production: { server, certificates: ['x'] } } })).toEqual([]);
  });
});
