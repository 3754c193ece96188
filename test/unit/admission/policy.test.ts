import { readFileSync } from 'node:fs';
import { imagePattern } from '../../../src/admission/image-expressions.ts';
import { imagePolicy } from '../../../src/admission/policy.ts';
import type { ContractFile } from '../../../src/contract/contract-file.ts';
import { parseContract } from '../../../src/contract/load-contract.ts';

/* What the generated policy admits and refuses is shown by a real API server, in test/interop/kubernetes-admission.test.ts. */

const BASE = parseContract(readFileSync('test/fixtures/gate/contract.yml'), 'contract.yml').file;
const production = BASE.environments.production as ContractFile['environments'][string];
type Targets = (typeof production)['targets'];
const withTargets = (targets: { [environment: string]: Targets }): ContractFile => ({
  ...BASE,
  environments: Object.fromEntries(
    Object.entries(targets).map(([name, each]) => [name, { ...production, targets: each }]),
  ),
});
const ANY = { environment: undefined, cluster: undefined };
const made = (contract: ContractFile, scope: Parameters<typeof imagePolicy>[1]) =>
  // biome-ignore lint/suspicious/noExplicitAny: looks into the generated objects
  imagePolicy(contract, scope) as any[];
const namespacesOf = (contract: ContractFile, scope: Parameters<typeof imagePolicy>[1]) =>
  made(contract, scope)[1].spec.matchResources.namespaceSelector.matchExpressions[0].values;

const TWO = withTargets({
  production: [
    { cluster: 'prod', namespace: 'web' },
    { cluster: 'prod', namespace: 'api', kind: 'Deployment' },
    { cluster: 'prod', namespace: 'web', kind: 'CronJob' },
    { host: 'h', namespace: 'units' },
  ],
  Staging_2: [{ cluster: 'stage', namespace: 'web-next' }],
});

describe('the admission policy', () => {
  it('denies, fails closed, and its binding names it', () => {
    const [policy, binding] = made(BASE, ANY);
    expect(policy.spec).toMatchObject({ failurePolicy: 'Fail' });
    expect(binding.spec).toMatchObject({ policyName: policy.metadata.name, validationActions: ['Deny'] });
  });

  it('is for the namespaces of the targets in one cluster, each once, in order', () => {
    expect(namespacesOf(TWO, { ...ANY, cluster: 'prod' })).toEqual(['api', 'web']);
    expect(namespacesOf(TWO, { ...ANY, environment: 'Staging_2' })).toEqual(['web-next']);
  });

  it('is the same for the same contract, in whatever order that lists things', () => {
    const registries = ['b.example.org', 'a.example.org/x'];
    const one = { ...TWO, registries };
    const [first, ...rest] = Object.entries(TWO.environments);
    const other = {
      ...TWO,
      registries: registries.toReversed(),
      environments: Object.fromEntries([...rest, first as never]),
    };
    const scope = { ...ANY, cluster: 'prod' };
    expect(JSON.stringify(imagePolicy(other, scope))).toBe(JSON.stringify(imagePolicy(one, scope)));
  });

  it('has a name that Kubernetes takes, one an environment', () => {
    expect(made(TWO, { ...ANY, environment: 'Staging_2' })[0].metadata.name).toBe('gatehouse-images-staging-2');
    expect(made(BASE, ANY)[0].metadata.name).toBe('gatehouse-images');
  });

  it.each<[string, ContractFile, Parameters<typeof imagePolicy>[1], string, RegExp]>([
    [
      'an environment that there is not',
      BASE,
      { ...ANY, environment: 'prodution' },
      'admission.environment',
      /did you mean production\?/,
    ],
    [
      'a cluster that there is not',
      TWO,
      { ...ANY, cluster: 'prd' },
      'admission.cluster',
      /did you mean prod\?.* It has prod, stage/,
    ],
    [
      'a cluster of another environment',
      TWO,
      { environment: 'production', cluster: 'stage' },
      'admission.cluster',
      /It has prod$/,
    ],
    ['several clusters', TWO, ANY, 'admission.clusters', /--cluster prod or stage/],
    [
      'hosts alone',
      withTargets({ production: [{ host: 'h', namespace: 'n' }] }),
      ANY,
      'admission.none',
      /in no cluster/,
    ],
  ])('is not made for %s', (_, contract, scope, code, message) => {
    expect(() => imagePolicy(contract, scope)).toThrow(
      expect.objectContaining({ exit: 2, code, message: expect.stringMatching(message) }),
    );
  });
});

describe('the pattern of images', () => {
  const hex = 'a'.repeat(64);
  it.each([
    ['127.0.0.1:5000/care/app', true],
    ['ghcr.io/acme/app', true],
    ['ghcr.io/acme', false],
    ['ghcr.io/acme/', false],
    ['ghcr.io/acmeevil/app', false],
    ['ghcr.io/acme/../evil/app', false],
    ['ghcr.io/acme//app', false],
    ['ghcr.io/acme/App', false],
    ['127.0.0.1:50000/care/app', false],
  ])('of a namespace and of a port: %s %s', (name, fits) => {
    // RE2 and JavaScript agree on the few constructs that it uses.
    expect(new RegExp(imagePattern(['ghcr.io/acme', '127.0.0.1:5000'])).test(`${name}@sha256:${hex}`)).toBe(fits);
  });
});
