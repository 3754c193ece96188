import { z } from 'zod';
import {
  buildKind,
  category,
  commit,
  duration,
  isolation,
  name,
  pem,
  severity,
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

const url = z
  .string()
  .max(2048)
  .regex(/^[a-z][a-z0-9+.-]*:\S+$/, 'expected a URL');
const httpsUrl = z
  .string()
  .max(2048)
  .regex(/^(https:\/\/|http:\/\/127\.0\.0\.1[:/])\S+$/, 'expected an https URL (http only on 127.0.0.1)');

const hostedPlatform = z.strictObject({
  kind: z.enum(['github', 'gitlab']),
  host: slug.describe('host name of the platform, for example github.com'),
  api: httpsUrl.describe('base address of its API'),
  issuer: httpsUrl.describe('issuer of its OIDC tokens'),
  'workflow-ref': text.describe(
    'the one reusable workflow (GitHub: owner/repo/path@ref) or project and ref (GitLab) in which trusted jobs run',
  ),
});
const localPlatform = z.strictObject({
  kind: z.literal('local'),
  file: name.describe('JSON file that plays the platform, relative to contract.yml'),
});

const key = z.strictObject({
  id: slug,
  public: pem.describe('public key, PEM; P-256 or RSA of at least 2048 bits'),
  url: url
    .optional()
    .describe('where the signer finds the private key: file:, awskms:, gcpkms:, azurekms:; only the signer needs it'),
  repositories: z.array(name).min(1).describe('repository ids whose runs it may sign for; "*" for any'),
});

const identity = z.strictObject({
  issuer: httpsUrl,
  workflow: text.describe('exact reusable workflow, owner/repo/path@ref'),
  sha: commit,
  environment: name,
});

const trust = z.strictObject({
  profile: z.enum(['kms', 'private-sigstore', 'github-private', 'public-good', 'local']),
  timestamp: z
    .strictObject({ url: httpsUrl, certificates: z.array(pem).min(1) })
    .optional()
    .describe('RFC 3161 time stamping authority; required but in profile local'),
  'max-skew': duration,
  keys: z.partialRecord(role, z.array(key).min(1)),
  'release-window': z
    .strictObject({ from: time, until: time })
    .describe('when the release key, which signs the register, is valid'),
  identities: z.partialRecord(role, z.array(identity).min(1)).optional(),
});

const scanner = z.strictObject({
  tools: z
    .array(
      z.strictObject({
        name: slug,
        versions: z.array(name).min(1).optional(),
        digests: z
          .array(z.string().regex(/^sha256:[0-9a-f]{64}$/))
          .min(1)
          .optional(),
        rules: name
          .optional()
          .describe('rules file of the tool, relative to contract.yml, for scans that our scan job runs'),
        offline: z
          .boolean()
          .default(false)
          .describe('the runners keep the vulnerability database of the tool: it fetches none'),
      }),
    )
    .min(1)
    .describe('tools whose reports count; versions and digests restrict them further'),
  importers: z
    .array(text)
    .describe('identities whose reports count though our scan job did not run the tool; [] for none')
    .default([]),
  'database-max-age': duration
    .optional()
    .describe('limit for the vulnerability database; required for sca and container'),
  canary: z.boolean().default(false).describe('the scan must find the planted canary'),
});

const cluster = z.strictObject({
  server: z
    .string()
    .max(2048)
    .regex(
      /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
      'expected the https URL of the API server, without user, query or fragment',
    )
    .describe('address of the API server'),
  certificates: z
    .array(pem)
    .min(1)
    .describe('authorities (PEM) of the API server’s certificate; no other authority is trusted for it'),
  audience: text
    .refine(
      (audience) => audience !== 'gatehouse' && audience !== 'sigstore',
      'is the audience of tokens that prove who a job is, and a cluster could pass them on: choose one of the cluster’s own',
    )
    .optional()
    .describe(
      'audience of the job’s ID token on GitHub, where the cluster accepts that token instead of one of its own',
    ),
});

const environment = z.strictObject({
  build: buildKind.default('built'),
  isolation: isolation.describe('how far the build must have been kept from the key'),
  required: z.array(category).min(1).describe('scan categories without which nothing is promoted'),
  'deny-severities': z.array(severity.exclude(['unknown'])).min(1),
  'unknown-severity': z.enum(['deny', 'allow']).default('deny'),
  'max-evidence-age': duration.describe('limit for the age of a scan report'),
  refs: z.array(name).min(1).describe('allowed source refs, exact, for example refs/heads/main'),
  events: z.array(name).min(1).describe('allowed events, for example push'),
  'runner-pools': z.array(name).min(1),
  reviews: z.int().min(0).max(10).default(1).describe('approving reviews that the change needs'),
  approvals: z.strictObject({ groups: z.array(name).min(1), number: z.int().min(1).max(10), strength }),
  targets: z.array(targetPattern).min(1),
  endpoints: z
    .array(z.string().regex(/^[a-z0-9.-]+:\d{1,5}$/, 'expected host:port'))
    .default([])
    .describe('TLS endpoints that must be verified before a deploy'),
  services: z
    .array(name)
    .min(1)
    .describe('business associates that this environment reaches; each needs an agreement in force'),
  'decision-lifetime': duration.default('60m'),
});

export const contractFile = z
  .strictObject({
    schema: z.literal('gatehouse/contract/1'),
    organization: name,
    platforms: z.array(z.discriminatedUnion('kind', [hostedPlatform, localPlatform])).min(1),
    trust,
    register: z.strictObject({
      url: url.optional().describe('store of the register, when it is not the evidence store'),
      'max-age': duration,
    }),
    evidence: z.strictObject({ store: url, 'second-store': url.optional(), 'retention-years': z.int().min(6).max(30) }),
    registries: z
      .array(
        z
          .string()
          .max(512)
          .regex(/^[a-z0-9.-]+(:\d{1,5})?(\/[a-z0-9._/-]+)?$/),
      )
      .min(1)
      .describe('registries, or registry/namespace, that images may come from'),
    scanners: z.partialRecord(category, scanner),
    environments: z
      .record(slug, environment)
      .refine((all) => Object.keys(all).length > 0, 'expected at least one environment'),
    clusters: z
      .record(slug, cluster)
      .default({})
      .describe('clusters that are deployed to directly, by the name that targets give them; GitOps needs none'),
    'break-glass': z
      .strictObject({ groups: z.array(name).min(1), number: z.int().min(2).max(10), 'review-within': duration })
      .optional(),
    credentials: z
      .array(z.strictObject({ name, 'used-for': text, expires: time }))
      .default([])
      .describe('every long-lived credential that cannot be avoided'),
    controls: z.strictObject({ profile: z.enum(['hipaa']) }),
  })
  .superRefine((file, context) => {
    const problem = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
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
          problem(['scanners', required], `category ${required} looks findings up in a database: add database-max-age`);
        }
      }
    }
  });
export type ContractFile = z.infer<typeof contractFile>;
