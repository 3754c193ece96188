import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type ContractFile, contractFile } from '../../../src/contract/contract-file.ts';
import { weaknesses } from '../../../src/contract/weaknesses.ts';

const OURS = readFileSync('test/fixtures/contract.yml', 'utf8');
const shipped = (): ContractFile => contractFile.parse(parse(OURS));
const key = { id: 'k', public: 'x', url: 'awskms:///x', repositories: ['*'] };

/** Our own contract as a platform team fills it in. */
function filled(): ContractFile {
  const own = OURS.replaceAll('example-health', 'acme-health').replaceAll('example.org', 'acme.test');
  const contract = contractFile.parse(parse(own));
  Object.assign(contract.trust.timestamp ?? {}, { certificates: ['x'] });
  contract.trust.keys = { gate: [key], build: [key], scan: [key], deploy: [key] };
  return contract;
}

/** The same with one value put at a path. */
function contractWith(path: string[], value: unknown): ContractFile {
  const contract = filled();
  const place = path.slice(0, -1).reduce((node, name) => Reflect.get(node, name), contract as object);
  Reflect.set(place, path.at(-1) as string, value);
  return contract;
}

describe('a contract that could be stronger', () => {
  it('has none of our weaknesses when it is ours, filled in', () => {
    expect(weaknesses(filled())).toEqual([]);
  });

  it('is ours as it is shipped, in each name of the example and for want of keys', () => {
    expect(weaknesses(shipped()).map(({ path }) => path)).toEqual([
      ...['trust.keys.gate', 'trust.keys.build', 'trust.keys.scan', 'trust.keys.deploy'],
      ...['organization', 'platforms[0].workflow-ref', 'trust.timestamp.url', 'trust.timestamp.certificates[0]'],
      ...['evidence.store', 'registries[0]', 'environments.production.targets[0].manifests.repository'],
    ]);
  });

  it('is nobody’s business where no platform is named: keys and names are of a trial', () => {
    const contract = shipped();
    contract.platforms = [{ kind: 'local', file: 'platform.json' }];
    contract.trust.profile = 'local';
    expect(weaknesses(contract).map(({ path }) => path)).toEqual(['trust.profile']);
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
    ['trust.keys.gate', [{ ...key, url: undefined }]],
    ['trust.keys.deploy', undefined],
    ['trust.keys.emit', [{ ...key, url: undefined }]],
    ['trust.timestamp.url', 'https://tsa.example.com/'],
    ['environments.production.endpoints', ['web.example.org:443']],
  ])('is told so at %s (%p)', (path, value) => {
    const found = weaknesses(contractWith(path.split('.'), value));
    expect(found.map((weak) => weak.path)).toEqual([
      path.replace('.0.manifests', '[0]').replace('endpoints', 'endpoints[0]'),
    ]);
    expect(found[0]?.why.length).toBeGreaterThan(20);
  });

  it.each([
    ['trust.keys.gate', [{ ...key, url: undefined }, key]],
    ['trust.keys.release', [{ ...key, url: undefined }]],
    ['trust.keys.notary', [{ ...key, url: undefined }]],
    ['organization', 'counter-example.org'],
    ['organization', 'example-healthcare'],
  ])('is not at %s (%p)', (path, value) => {
    expect(weaknesses(contractWith(path.split('.'), value))).toEqual([]);
  });

  it('is not where nothing is deployed by a commit: the cluster is deployed to directly', () => {
    const file = contractWith(['environments', 'production', 'targets'], [{ cluster: 'production', namespace: 'web' }]);
    const server = 'https://api.production.acme.test:6443';
    expect(weaknesses({ ...file, clusters: { production: { server, certificates: ['x'] } } })).toEqual([]);
  });
});
