import * as z from '../lib/zod.ts';
import {
  atLeastOne,
  buildKind,
  category,
  commit,
  duration,
  isolation,
  knownSeverity,
  name,
  pem,
  slug,
  strength,
  text,
  time,
} from './primitives.ts';
import { role } from './roles.ts';
import { targetPattern } from './target.ts';

/*
 * `gatehouse/contract/1`: contract.yml, the rules of one tagged release, edited by the platform team. It lies beside dist in
 * the same commit and is never read from a caller's workspace.
 */

const url = z.string().check(z.maxLength(2048), z.regex(/^[a-z][a-z0-9+.-]*:\S+$/, 'expected a URL'));
const httpsUrl = z
  .string()
  .check(
    z.maxLength(2048),
    z.regex(/^(https:\/\/|http:\/\/127\.0\.0\.1[:/])\S+$/, 'expected an https URL (http only on 127.0.0.1)'),
  );

const hostedPlatform = z.strictObject({
  kind: z.enum(['github', 'gitlab']),
  host: slug.check(z.describe('host name of the platform, for example github.com')),
  api: httpsUrl.check(z.describe('base address of its API')),
  issuer: httpsUrl.check(z.describe('issuer of its OIDC tokens')),
  'workflow-ref': text.check(
    z.describe(
      'the one reusable workflow (GitHub: owner/repo/path@ref) or project and ref (GitLab) in which trusted jobs run',
    ),
  ),
});
const localPlatform = z.strictObject({
  kind: z.literal('local'),
  file: name.check(z.describe('JSON file that plays the platform, relative to contract.yml')),
});

const key = z.strictObject({
  id: slug,
  public: pem.check(z.describe('public key, PEM; P-256 or RSA of at least 2048 bits')),
  url: z
    .optional(url)
    .check(
      z.describe(
        'where the signer finds the private key: file:key.pem, or awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID; only the signer needs it',
      ),
    ),
  repositories: atLeastOne(name).check(z.describe('repository ids whose runs it may sign for; "*" for any')),
});

const identity = z.strictObject({
  issuer: httpsUrl,
  workflow: text.check(z.describe('exact reusable workflow, owner/repo/path@ref')),
  sha: commit,
  environment: name,
});

const trust = z.strictObject({
  profile: z
    .enum(['kms', 'private-sigstore', 'github-private', 'public-good', 'local'])
    .check(z.describe('kms, or local for a trial on one machine; the others cannot be shown yet')),
  timestamp: z
    .optional(z.strictObject({ url: httpsUrl, certificates: atLeastOne(pem) }))
    .check(z.describe('RFC 3161 time stamping authority; required but in profile local')),
  'max-skew': duration,
  keys: z.partialRecord(role, atLeastOne(key)),
  'release-window': z
    .strictObject({ from: time, until: time })
    .check(z.describe('when the release key, which signs the register, is valid')),
  identities: z
    .optional(z.partialRecord(role, atLeastOne(identity)))
    .check(z.describe('who signs without a key of its own; not shown yet: leave it out')),
});

const scanner = z.strictObject({
  tools: atLeastOne(
    z.strictObject({
      name: slug,
      versions: z.optional(atLeastOne(name)),
      digests: z.optional(atLeastOne(z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)))),
      rules: z
        .optional(name)
        .check(z.describe('rules file of the tool, relative to contract.yml, for scans that our scan job runs')),
      offline: z
        ._default(z.boolean(), false)
        .check(z.describe('the runners keep the vulnerability database of the tool: it fetches none')),
    }),
  ).check(z.describe('tools whose reports count; versions and digests restrict them further')),
  importers: z._default(
    z
      .array(text)
      .check(z.describe('identities whose reports count though our scan job did not run the tool; [] for none')),
    [],
  ),
  'database-max-age': z
    .optional(duration)
    .check(z.describe('limit for the vulnerability database; required for sca and container')),
  canary: z
    ._default(z.boolean(), false)
    .check(z.describe('the scan must find the planted canary; not shown yet: leave it out')),
});

const cluster = z.strictObject({
  server: z
    .string()
    .check(
      z.maxLength(2048),
      z.regex(
        /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
        'expected the https URL of the API server, without user, query or fragment',
      ),
      z.describe('address of the API server'),
    ),
  certificates: atLeastOne(pem).check(
    z.describe('authorities (PEM) of the API server’s certificate; no other authority is trusted for it'),
  ),
  audience: z
    .optional(
      text.check(
        z.refine(
          (audience) => !/^(gatehouse|sigstore|sts\.amazonaws\.com.*)$/.test(audience),
          'is the audience of tokens that prove who a job is or open its store and key, and a cluster could pass them on: choose one of the cluster’s own',
        ),
      ),
    )
    .check(
      z.describe(
        'audience of the job’s ID token on GitHub, where the cluster accepts that token instead of one of its own',
      ),
    ),
});

const environment = z.strictObject({
  build: z._default(buildKind, 'built'),
  isolation: isolation.check(z.describe('how far the build must have been kept from the key')),
  required: atLeastOne(category).check(z.describe('scan categories without which nothing is promoted')),
  'deny-severities': atLeastOne(knownSeverity),
  'unknown-severity': z._default(z.enum(['deny', 'allow']), 'deny'),
  'max-evidence-age': duration.check(z.describe('limit for the age of a scan report')),
  refs: atLeastOne(name).check(z.describe('allowed source refs, exact, for example refs/heads/main')),
  events: atLeastOne(name).check(z.describe('allowed events, for example push')),
  'runner-pools': atLeastOne(name),
  reviews: z
    ._default(z.int().check(z.minimum(0), z.maximum(10)), 1)
    .check(z.describe('approving reviews that the change needs')),
  approvals: z.strictObject({ groups: atLeastOne(name), number: z.int().check(z.minimum(1), z.maximum(10)), strength }),
  targets: atLeastOne(targetPattern),
  endpoints: z
    ._default(z.array(z.string().check(z.regex(/^[a-z0-9.-]+:\d{1,5}$/, 'expected host:port'))), [])
    .check(z.describe('TLS endpoints that must be verified before a deploy')),
  services: atLeastOne(name).check(
    z.describe('business associates that this environment reaches; each needs an agreement in force'),
  ),
  'decision-lifetime': z._default(duration, '60m'),
});

export const contractFile = z
  .strictObject({
    schema: z.literal('gatehouse/contract/1'),
    organization: name,
    platforms: atLeastOne(z.discriminatedUnion('kind', [hostedPlatform, localPlatform])),
    trust,
    register: z.strictObject({
      url: z.optional(url).check(z.describe('store of the register, when it is not the evidence store')),
      'max-age': duration,
    }),
    evidence: z.strictObject({
      store: url,
      'second-store': z
        .optional(url)
        .check(z.describe('where evidence lies a second time; not shown yet: leave it out')),
      'retention-years': z.int().check(z.minimum(6), z.maximum(30)),
    }),
    registries: atLeastOne(
      z.string().check(z.maxLength(512), z.regex(/^[a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9._/-]+)?$/)),
    ).check(z.describe('registries, or registry/namespace, that images may come from')),
    scanners: z.partialRecord(category, scanner),
    environments: z
      .record(slug, environment)
      .check(z.refine((all) => Object.keys(all).length > 0, 'expected at least one environment')),
    clusters: z
      ._default(z.record(slug, cluster), {})
      .check(
        z.describe('clusters that are deployed to directly, by the name that targets give them; GitOps needs none'),
      ),
    'break-glass': z
      .optional(
        z.strictObject({
          groups: atLeastOne(name),
          number: z.int().check(z.minimum(2), z.maximum(10)),
          'review-within': duration,
        }),
      )
      .check(z.describe('who may deploy past the gate in an emergency; not shown yet: leave it out')),
    credentials: z
      ._default(z.array(z.strictObject({ name, 'used-for': text, expires: time })), [])
      .check(z.describe('every long-lived credential that cannot be avoided; not shown yet: leave it out')),
    controls: z.strictObject({ profile: z.enum(['hipaa']) }),
  })
  .check(
    z.superRefine((file, context) => {
      const problem = (path: (string | number)[], message: string) =>
        context.addIssue({ code: 'custom', path, message });
      const local = file.platforms.every((platform) => platform.kind === 'local');
      if (file.trust.profile === 'local' && !local) {
        problem(
          ['trust', 'profile'],
          'profile local has no trusted time and no isolated jobs: it is valid only where every platform is local',
        );
      }
      if (file.trust.profile !== 'local' && file.platforms.some((platform) => platform.kind === 'local')) {
        problem(
          ['platforms'],
          `platform local plays a platform from a file that anybody may write: it is not valid under profile ${file.trust.profile}`,
        );
      }
      if (file.trust.profile !== 'local' && file.trust.timestamp === undefined) {
        problem(
          ['trust', 'timestamp'],
          `profile ${file.trust.profile} needs a time stamping authority: add url and certificates`,
        );
      }
      const servers = new Map<string, string>();
      for (const [label, { server }] of Object.entries(file.clusters)) {
        const address = URL.canParse(server) ? new URL(server).href.replace(/\/+$/, '') : server;
        const other = servers.get(address);
        if (other !== undefined)
          problem(
            ['clusters', label, 'server'],
            `is the server of cluster ${other} too: what was decided for one would run in the other`,
          );
        servers.set(address, label);
      }
      for (const [label, environment] of Object.entries(file.environments)) {
        for (const [index, required] of environment.required.entries()) {
          const scanner = file.scanners[required];
          if (scanner === undefined) {
            problem(
              ['environments', label, 'required', index],
              `category ${required} is required but scanners.${required} names no tool for it`,
            );
          } else if ((required === 'sca' || required === 'container') && scanner['database-max-age'] === undefined) {
            problem(
              ['scanners', required],
              `category ${required} looks findings up in a database: add database-max-age`,
            );
          }
        }
      }
    }),
  );
export type ContractFile = z.infer<typeof contractFile>;
