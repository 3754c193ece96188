import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadContract, parseContract } from '../../../src/contract/load-contract.ts';
import { policyContract } from '../../../src/contract/policy-contract.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const BASE = readFileSync('test/fixtures/gate/contract.yml', 'utf8');
const FILE = join(sandbox.folder('contract'), 'contract.yml');
function load(text: string | Buffer) {
  writeFileSync(FILE, text);
  return loadContract(FILE);
}
const pemOf = (type: 'ec' | 'ed25519' | 'rsa', options: object = {}) =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: { export(o: object): string } })(
    type,
    options,
  ).publicKey.export({ type: 'spki', format: 'pem' });

/** The contract with a change made to its plain value; no comments, one line a key. */
// biome-ignore lint/suspicious/noExplicitAny: a change may put anything anywhere
function changed(change: (contract: any) => void): string {
  const contract = parse(BASE);
  change(contract);
  return stringify(contract, { lineWidth: 0 });
}

const IDENTITY = {
  issuer: 'https://token.actions.githubusercontent.com',
  workflow: 'example-health/compliance-workflows/.github/workflows/promote.yml@refs/tags/v1.0.0',
  sha: 'd'.repeat(40),
  environment: 'gatehouse-gate',
};

/** The message of the refusal, with the line of each problem replaced by the text of that line. */
function refusal(text: string | Buffer): string {
  try {
    load(text);
  } catch (thrown) {
    expect(thrown).toMatchObject({ exit: 2, code: expect.stringMatching(/^contract\.(yaml|invalid)$/) });
    const lines = text.toString().split('\n');
    return (thrown as Error).message
      .replaceAll(FILE, 'contract.yml')
      .replace(/contract\.yml:(\d+): /g, (_, n) => `<${lines[Number(n) - 1]?.trim()}> `);
  }
  throw new Error('the contract was accepted');
}

describe('a contract', () => {
  it('is read as written, as the policy sees it, and by the digest of its bytes', () => {
    const contract = load(BASE);
    expect(contract.digest).toBe(digestOf(BASE));
    expect(contract.bytes.toString()).toBe(BASE);
    expect(contract.file.environments.production?.build).toBe('built');
    expect(contract.policy.environments.production).toMatchObject({
      build: 'built',
      unknownSeverity: 'deny',
      maxEvidenceAge: 86_400_000,
      decisionLifetime: 3_600_000,
    });
    expect(contract.policy.scanners.sast).toEqual({
      tools: [{ name: 'semgrep', versions: null, digests: null }],
      importers: [],
      databaseMaxAge: null,
    });
    expect(JSON.stringify(contract.policy)).not.toMatch(/\d[smhd]"/);
  });

  it('may have comments, Windows line ends and an unused anchor', () => {
    const text = `# by the platform team\n${BASE}`.replaceAll('\n', '\r\n').replace('kms', '&x kms');
    expect(load(text).file).toEqual(load(BASE).file);
  });

  it.each([
    ['nothing', '', /is empty/],
    ['a comment', '# to do\n', /is empty/],
    ['a word', 'allow', /is no map of keys and values: .*docs\/fork\.md/],
    ['a list', '- schema', /is no map/],
    ['null', '~', /is empty/],
    ['two documents', `${BASE}---\n${BASE}`, /holds 2 YAML documents/],
    ['broken YAML', BASE.replace('registries: [', 'registries: [['), /is not YAML/],
    ['Latin-1', Buffer.from(BASE.replace('example-health', 'caf\u00e9'), 'latin1'), /not UTF-8/],
    ['a repeated section', `${BASE}registries: [evil.example.org]\n`, /key "registries" a second time/],
    ['a repeated key', BASE.replace('reviews: 1', 'reviews: 1\n    reviews: 0'), /key "reviews" a second time/],
    ['an alias', BASE.replace('[push]', '&x [push]').replace('[deploy]', '*x'), /YAML alias/],
    ['a merge key', BASE.replace('reviews: 1', '<<: { reviews: 0 }'), /merge key/],
    ['a tag', BASE.replace('reviews: 1', 'reviews: !!int "1"'), /YAML tag/],
    ['a tab', BASE.replace('    reviews', '\treviews'), /is not YAML/],
    ['brackets without end', `a: ${'['.repeat(5000)}`, /nested too deeply/],
    ['a prototype', `${BASE}__proto__: { x: 1 }\n`, /__proto__: unknown key/],
  ])('that is %s is refused', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  it('over 1 MB is not read', () => {
    expect(() => load(`${BASE}#${'x'.repeat(1024 * 1024)}`)).toThrow(
      expect.objectContaining({ exit: 2, code: 'file.too_large' }),
    );
  });

  it.each([
    [
      'at the top',
      'organization:',
      'organisation:',
      /<organisation: example-health> organisation: unknown key; did you mean "organization"/,
    ],
    ['of a platform', 'issuer:', 'isuer:', /platforms\[0\]\.isuer: unknown key; did you mean "issuer"/],
    ['of trust', 'max-skew:', 'max-skw:', /<max-skw: 5m> trust\.max-skw: unknown key; did you mean "max-skew"/],
    [
      'of evidence',
      'retention-years',
      'retention',
      /evidence\.retention: unknown key; did you mean|evidence\.retention/,
    ],
    [
      'of a scanner',
      'database-max-age',
      'database-age',
      /<.*container.*> scanners\.container\.database-age: unknown key/,
    ],
    [
      'of a tool',
      'versions:',
      'version:',
      /scanners\.container\.tools\[0\]\.version: unknown key; did you mean "versions"/,
    ],
    ['of the scanners', '  secrets: {', '  secret: {', /<secret: .*> scanners/],
    [
      'of an environment',
      'deny-severities',
      'deny-severity',
      /<deny-severity: .*> environments\.production\.deny-severity: unknown key; did you mean "deny-severities"/,
    ],
    [
      'of the approvals',
      'number: 1',
      'numbers: 1',
      /environments\.production\.approvals\.numbers: unknown key; did you mean "number"/,
    ],
    ['of a target', 'namespace: web', 'name-space: web', /environments\.production\.targets\[0\]/],
    ['of the controls', 'profile: hipaa', 'profiles: hipaa', /controls\.profiles: unknown key; did you mean "profile"/],
  ])('with an unknown key %s names line, path and a guess', (_, was, is, message) => {
    expect(BASE).toContain(was);
    expect(refusal(BASE.replace(was, is))).toMatch(message);
  });

  it.each([
    [
      'a category without a scanner',
      'required: [container, sast, secrets]',
      'required: [container, sast, iac]',
      /<required: .*iac.*> environments\.production\.required\[2\]: category iac is required but scanners\.iac names no tool/,
    ],
    [
      'a category looked up in a database of any age',
      ', database-max-age: 48h',
      '',
      /scanners\.container: category container looks findings up in a database: add database-max-age/,
    ],
    [
      'a category that there is not',
      'required: [container',
      'required: [containers',
      /environments\.production\.required\[0\]/,
    ],
    [
      'no category at all',
      'required: [container, sast, secrets]',
      'required: []',
      /environments\.production\.required/,
    ],
    ['no severity that is denied', 'deny-severities: [critical, high]', 'deny-severities: []', /deny-severities/],
    [
      'unknown among the denied severities',
      'deny-severities: [critical',
      'deny-severities: [unknown',
      /deny-severities\[0\]/,
    ],
    [
      'a duration without a unit',
      'max-evidence-age: 24h',
      'max-evidence-age: 24',
      /<max-evidence-age: 24> environments\.production\.max-evidence-age/,
    ],
    ['no duration', 'max-evidence-age: 24h', 'max-evidence-age: 0h', /expected a duration such as/],
    ['a fraction', 'number: 1', 'number: 1.5', /approvals\.number/],
    ['nobody to approve', 'number: 1', 'number: 0', /approvals\.number/],
    ['a number in quotes', 'reviews: 1', 'reviews: "1"', /reviews: expected number, received string/],
    ['evidence for five years', 'retention-years: 7', 'retention-years: 5', /evidence\.retention-years/],
    [
      'a platform over plain http',
      'https://api.github.com',
      'http://api.github.com',
      /platforms\[0\]\.api: expected an https URL/,
    ],
    [
      'a platform on a host like this one',
      'https://api.github.com',
      'http://127.0.0.1.example.org/',
      /expected an https URL/,
    ],
    ['a registry with a scheme', '[registry.example.org]', '["https://registry.example.org"]', /registries\[0\]/],
    ['an endpoint without a port', 'web.example.org:443', 'web.example.org', /endpoints\[0\]: expected host:port/],
    [
      'a time with an offset',
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00+01:00',
      /release-window\.from: expected an RFC 3339 time/,
    ],
    ['30 February', '2027-01-01T00:00:00Z', '2027-02-30T00:00:00Z', /release-window\.until/],
    [
      'no schema',
      'gatehouse/contract/1',
      'gatehouse/contract/2',
      /<schema: gatehouse\/contract\/2> schema: expected "gatehouse\/contract\/1"/,
    ],
    ['another legal profile', 'profile: hipaa', 'profile: none', /controls\.profile/],
    [
      'no environment',
      /environments:[\s\S]*controls/.exec(BASE)?.[0] as string,
      'environments: {}\ncontrols',
      /expected at least one environment/,
    ],
    ['an environment with a blank in its name', '  production:', '  "prod uction":', /environments/],
    [
      'no time stamps',
      / {2}timestamp:[\s\S]*?(?= {2}max-skew)/.exec(BASE)?.[0] as string,
      '',
      /trust\.timestamp: profile kms needs a time stamping authority/,
    ],
    ['a certificate that is none', 'MIIBrjCC', 'MIIBrjDD', /trust\.timestamp\.certificates\[0\]/],
    [
      'profile local on a real platform',
      'profile: kms',
      'profile: local',
      /trust\.profile: profile local has no trusted time/,
    ],
  ])('with %s says where', (_, was, is, message) => {
    expect(BASE).toContain(was);
    expect(refusal(BASE.replace(was, is))).toMatch(message);
  });

  it('of a real profile cannot have a platform that a file plays', () => {
    const local = { kind: 'local', file: 'platform.json' };
    expect(refusal(changed((contract) => Object.assign(contract, { platforms: [local] })))).toMatch(
      /platforms: platform local plays a platform from a file that anybody may write: it is not valid under profile kms/,
    );
    expect(refusal(changed((contract) => void contract.platforms.push(local)))).toMatch(/not valid under profile kms/);
    const both = changed((contract) => {
      contract.platforms.push(local);
      contract.trust.profile = 'local';
    });
    expect(refusal(both)).toMatch(/trust\.profile/);
  });

  it('of profile local needs neither time stamps nor a trusted workflow', () => {
    const text = changed((contract) => {
      contract.platforms = [{ kind: 'local', file: 'platform.json' }];
      contract.trust.profile = 'local';
      delete contract.trust.timestamp;
    });
    expect(load(text).policy.profile).toBe('local');
  });

  it.each([
    ['trust.profile', 'private-sigstore'],
    ['trust.profile', 'github-private'],
    ['trust.profile', 'public-good'],
    ['trust.identities', { gate: [IDENTITY] }],
    ['evidence.second-store', 's3://other/prod?region=us-west-2'],
    ['scanners.secrets.canary', true],
    ['break-glass', { groups: ['leads'], number: 2, 'review-within': '24h' }],
    ['credentials', [{ name: 'robot', 'used-for': 'pushes', expires: '2026-12-01T00:00:00Z' }]],
  ])('that demands %s (%j), at which nothing looks, is refused', (path, value) => {
    const demanding = changed((contract) => {
      const names = path.split('.');
      const place = names.slice(0, -1).reduce((node, name) => node[name], contract);
      place[names.at(-1) as string] = value;
    });
    expect(refusal(demanding)).toMatch(/has a problem;/);
    expect(refusal(demanding)).toContain(`> ${path}: this release cannot show that it is kept: `);
    // A record may hold one of a release that took it.
    expect(parseContract(Buffer.from(demanding), 'of a record').policy).toEqual(expect.anything());
  });

  it('may say that it has none of what nothing looks at', () => {
    const none = changed((contract) => {
      contract.scanners.secrets.canary = false;
      contract.credentials = [];
    });
    expect(load(none).policy).toEqual(load(BASE).policy);
  });

  it('names every problem at once', () => {
    const text = BASE.replace('reviews: 1', 'reviews: -1').replace('kms', 'kmz').replace('controls:', 'control:');
    expect(refusal(text)).toMatch(/has 4 problems; nothing is judged/);
  });
});

describe('the keys of a contract', () => {
  const P256 = pemOf('ec', { namedCurve: 'P-256' });
  const entry = (id: string, pem: string) => [{ id, public: pem, repositories: ['*'] }];
  const withKeys = (keys: object) => changed((contract) => Object.assign(contract.trust, { keys }));

  it.each([
    ['P-256', () => P256],
    ['RSA 2048', () => pemOf('rsa', { modulusLength: 2048 })],
  ])('may be %s', (_, pem) => {
    expect(load(withKeys({ gate: entry('gate-1', pem()) })).file.trust.keys.gate).toHaveLength(1);
  });

  it.each([
    ['P-384', () => pemOf('ec', { namedCurve: 'P-384' }), /trust\.keys\.gate\[0\]\.public: .*expected ECDSA P-256/],
    ['RSA 1024', () => pemOf('rsa', { modulusLength: 1024 }), /RSA of at least 2048 bits/],
    ['Ed25519 for records', () => pemOf('ed25519'), /expected ECDSA P-256/],
    ['no key', () => P256.replace('MFkw', 'MFkx'), /not a public key in PEM/],
    ['no PEM', () => 'MFkw', /expected a PEM block/],
  ])('cannot be %s', (_, pem, message) => {
    expect(refusal(withKeys({ gate: entry('gate-1', pem()) }))).toMatch(message);
  });

  it('a private key is refused, and not repeated', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const message = refusal(withKeys({ gate: entry('gate-1', pem) }));
    expect(message).toMatch(/trust\.keys\.gate\[0\]\.public: expected a PEM block, PUBLIC KEY/);
    // The line of a problem is a number; this test puts the line's text in its place.
    expect(message.replace(/<.*?> /g, '')).not.toContain(pem.split('\n')[1]);
  });

  const KMS = 'awskms:///arn:aws:kms:eu-central-1:111122223333:key/1234abcd';
  const at = (url: string, pem = P256) => withKeys({ gate: [{ ...entry('gate-1', pem)[0], url }] });

  it.each(['file:gate.pem', KMS])('may lie at %s', (url) => {
    expect(load(at(url)).file.trust.keys.gate?.[0]?.url).toBe(url);
  });

  it.each([
    [
      'at Google',
      at('gcpkms://projects/p'),
      /trust\.keys\.gate\[0\]\.url: keys of kind gcpkms: cannot be opened: use file:/,
    ],
    [
      'under an alias',
      at('awskms:///arn:aws:kms:eu-central-1:111122223333:alias/gate'),
      /can be pointed at another key/,
    ],
    [
      'in AWS KMS, of a size that it does not keep',
      at(KMS, pemOf('rsa', { modulusLength: 2056 })),
      /trust\.keys\.gate\[0\]\.public: .*rsa 2056: expected a type that AWS KMS keeps/,
    ],
  ])('cannot lie %s', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  it('one key, or one id, cannot have two roles', () => {
    expect(refusal(withKeys({ gate: entry('a', P256), build: entry('b', P256) }))).toMatch(/also of role/);
    const other = pemOf('ec', { namedCurve: 'P-256' });
    expect(refusal(withKeys({ gate: entry('a', P256), build: entry('a', other) }))).toMatch(/key id a is also of role/);
  });

  it('a role that there is not is refused', () => {
    expect(refusal(withKeys({ root: entry('a', P256) }))).toMatch(/trust\.keys/);
  });
});

describe('the manifests of a target', () => {
  const withManifests = (text: string) =>
    BASE.replace('cluster: prod, namespace: web', `cluster: prod, namespace: web, manifests: ${text}`);

  it('name a repository and a branch, and are none of the policy’s business', () => {
    const manifests = { repository: 'https://git.example.org/care/gitops', branch: 'main' };
    const { file } = load(withManifests(JSON.stringify(manifests)));
    expect(file.environments).toHaveProperty('production.targets', [{ cluster: 'prod', namespace: 'web', manifests }]);
    expect(policyContract(file).environments).toHaveProperty('production.targets', [
      { cluster: 'prod', namespace: 'web' },
    ]);
  });

  it.each([
    '{ repository: https://git.example.org/care/gitops }',
    '{ branch: main }',
    '{ repository: https://git.example.org/care/gitops, branch: "" }',
    '{ repository: https://git.example.org/care/gitops, branch: main, path: web }',
    '{ repository: care/gitops, branch: main }',
    '{ repository: http://git.example.org/care/gitops, branch: main }',
    '{ repository: ssh://git@git.example.org/care/gitops, branch: main }',
    '{ repository: https://me:secret@git.example.org/care/gitops, branch: main }',
    '[]',
  ])('are refused as %s', (text) => {
    expect(refusal(withManifests(text))).toMatch(/environments\.production\.targets\[0\]\.manifests/);
  });
});

describe('the clusters of a contract', () => {
  const [certificate] = parse(BASE).trust.timestamp.certificates as [string];
  const prod = { server: 'https://api.prod.example.org:6443', certificates: [certificate] };
  // Copied, since a value that stands at two places would be written as an alias.
  const withClusters = (clusters: object) =>
    changed((contract) => Object.assign(contract, { clusters: JSON.parse(JSON.stringify(clusters)) }));

  it('are none where nothing is deployed to directly', () => {
    expect(load(BASE).file.clusters).toEqual({});
  });

  it('are servers with their authorities, and may take the token of the job', () => {
    const clusters = {
      prod: { ...prod, audience: 'https://api.prod.example.org' },
      spare: { ...prod, server: 'https://spare/k8s/c1' },
    };
    expect(load(withClusters(clusters)).file.clusters).toEqual(clusters);
  });

  it.each<[string, object, RegExp]>([
    [
      'a misspelt key',
      { prod: { ...prod, sever: 'x' } },
      /clusters\.prod\.sever: unknown key; did you mean "server"\?/,
    ],
    ['no authority', { prod: { ...prod, certificates: [] } }, /clusters\.prod\.certificates/],
    ['no server', { prod: { certificates: prod.certificates } }, /clusters\.prod\.server/],
    [
      'plain http',
      { prod: { ...prod, server: 'http://127.0.0.1:8001' } },
      /clusters\.prod\.server: expected the https URL/,
    ],
    ['a user in the address', { prod: { ...prod, server: 'https://a:b@api.example.org' } }, /expected the https URL/],
    ['a query in the address', { prod: { ...prod, server: 'https://api.example.org/?x=' } }, /expected the https URL/],
    [
      'a certificate that is none',
      { prod: { ...prod, certificates: [certificate.replace('MIIBrjCC', 'MIIBrjDD')] } },
      /clusters\.prod\.certificates\[0\]/,
    ],
    ['a path for a certificate', { prod: { ...prod, certificates: ['ca.pem'] } }, /expected a PEM block/],
    ['a name with a slash', { 'a/b': prod }, /clusters/],
    [
      'one server under two names',
      { prod, staging: prod },
      /clusters\.staging\.server: is the server of cluster prod too/,
    ],
    [
      'one server, spelt twice',
      { prod, staging: { ...prod, server: 'https://API.prod.example.org:6443/' } },
      /is the server of cluster prod too/,
    ],
    [
      'the audience that proves who a job is',
      { prod: { ...prod, audience: 'gatehouse' } },
      /clusters\.prod\.audience: is the audience of tokens/,
    ],
    [
      'the audience that opens store and key',
      { prod: { ...prod, audience: 'sts.amazonaws.com' } },
      /clusters\.prod\.audience: is the audience of tokens/,
    ],
  ])('cannot have %s', (_, clusters, message) => {
    expect(refusal(withClusters(clusters))).toMatch(message);
  });
});
