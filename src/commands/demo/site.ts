import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlatformFile } from '../../contract/platform-file.ts';

/** A fork of the library as a platform team keeps it, with a store, keys and a GitOps repository beside it; one folder in all. */
export interface Site {
  folder: string;
  /** The launcher that its steps run. */
  program: string;
  /** Private keys by role, PEM. They lie on disk only while a step of their role runs. */
  keys: Map<string, string>;
  path(...parts: string[]): string;
}

export const ENVIRONMENT = 'production';
export const TARGET = 'demo/lab-results/Deployment/lab-results';
export const REPOSITORY = 'care/lab-results';
/** The commit that the demo says the sample was built from. */
export const COMMIT = createHash('sha1').update('gatehouse demo').digest('hex');

const ROLES = ['gate', 'build', 'scan', 'deploy', 'notary', 'release'] as const;

/** A site that lies in this folder. */
export function siteAt(folder: string, keys: Map<string, string>): Site {
  return {
    folder,
    program: join(folder, 'fork', 'dist', 'gatehouse.js'),
    keys,
    path: (...parts) => join(folder, ...parts),
  };
}

/** A site with everything that it holds now: each refusal starts from such a copy, so that it differs in one fact only. */
export function copySite(from: Site, folder: string): Site {
  cpSync(from.folder, folder, { recursive: true, preserveTimestamps: true });
  return siteAt(folder, from.keys);
}

/** Lays the fork: dist as it runs here, fresh keys a role, a contract of profile local, and the platform's file. */
export function laySite(folder: string, home: string, reports: string, registry: string): Site {
  const site = siteAt(folder, new Map());
  for (const part of ['fork', 'store', 'gitops']) mkdirSync(site.path(part), { recursive: true });
  cpSync(home, site.path('fork', 'dist'), { recursive: true });
  const keys = Object.fromEntries(ROLES.map((role) => [role, makeKey(site, role)]));
  writeFileSync(site.path('fork', 'contract.yml'), contractText(registry, keys, importers(reports)));
  writePlatform(site, platform());
  return site;
}

/** Says what the platform of profile local says from now on: people, reviews, approvals. */
export function writePlatform(site: Site, file: PlatformFile): void {
  writeFileSync(site.path('fork', 'platform.json'), `${JSON.stringify(file, null, 2)}\n`);
}

/** What it says now. */
export function readPlatform(site: Site): PlatformFile {
  return JSON.parse(readFileSync(site.path('fork', 'platform.json'), 'utf8')) as PlatformFile;
}

/** A key pair; the public half goes into the contract. Checkpoints are signed by Ed25519, all else by P-256. */
function makeKey(site: Site, role: string): string {
  const { publicKey, privateKey } =
    role === 'notary' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  site.keys.set(role, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return publicKey.export({ type: 'spki', format: 'pem' }) as string;
}

/** Whoever ran the scanners is named by the sidecars of the committed reports. */
function importers(folder: string): string[] {
  const sidecars = readdirSync(folder).filter((file) => file.endsWith('.sidecar.json'));
  return sidecars.sort().map(
    (file) =>
      `sidecar@sha256:${createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')}`,
  );
}

function contractText(registry: string, keys: Record<string, string>, accepted: string[]): string {
  const scanner = (tool: string, database = false) => ({
    tools: [{ name: tool }],
    importers: accepted,
    ...(database ? { 'database-max-age': '3650d' } : {}),
  });
  const contract = {
    schema: 'gatehouse/contract/1',
    organization: 'gatehouse demo',
    platforms: [{ kind: 'local', file: 'platform.json' }],
    trust: {
      profile: 'local',
      'max-skew': '5m',
      keys: Object.fromEntries(
        Object.entries(keys).map(([role, pem]) => [role, [{ id: `demo-${role}`, public: pem, repositories: ['*'] }]]),
      ),
      'release-window': { from: '2020-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' },
    },
    register: { 'max-age': '24h' },
    evidence: { store: 'file:../store', 'retention-years': 7 },
    registries: [registry],
    scanners: {
      container: scanner('trivy', true),
      sca: scanner('osv-scanner', true),
      sast: scanner('semgrep'),
      secrets: scanner('gitleaks'),
      iac: scanner('checkov'),
    },
    environments: {
      [ENVIRONMENT]: {
        isolation: 'process',
        required: ['container', 'sca', 'sast', 'secrets', 'iac'],
        'deny-severities': ['critical', 'high'],
        'max-evidence-age': '3650d',
        refs: ['refs/heads/main'],
        events: ['push'],
        'runner-pools': ['local'],
        approvals: { groups: ['release-approvers'], number: 1, strength: 'job' },
        targets: [{ cluster: 'demo', namespace: 'lab-results' }],
        services: ['cloud-provider'],
      },
    },
    controls: { profile: 'hipaa' },
  };
  // JSON is YAML: a person would write it by hand, with comments.
  return `# The demo's contract. Ages of years make committed scan reports count; \`gatehouse contract check\` calls that weak.\n${JSON.stringify(contract, null, 2)}\n`;
}

/** What the platform would say of the run: who wrote the commit, who looked at it, who started the run. */
function platform(): PlatformFile {
  const hour = (ago: number) => new Date(Date.now() - ago * 3_600_000).toISOString();
  return {
    schema: 'gatehouse/platform/1',
    host: 'demo',
    repository: { id: '1', name: 'care/lab-results' },
    protectedRefs: ['refs/heads/main'],
    commits: [
      {
        sha: COMMIT,
        base: null,
        reachableFrom: ['refs/heads/main'],
        people: [
          { userId: '101', as: 'author' },
          { userId: '101', as: 'committer' },
        ],
        reviews: [{ userId: '102', state: 'approved', at: hour(2) }],
      },
    ],
    runs: [
      {
        id: '5001',
        attempt: 1,
        job: 'demo',
        ref: 'refs/heads/main',
        sha: COMMIT,
        event: 'push',
        triggeredBy: '101',
        reranBy: null,
      },
    ],
    approvals: [],
  };
}

/** The register of the demo, but for number and time: this release, the keys from now on, the people, an agreement. */
export function registerDraft(release: unknown, now: number): object {
  const from = new Date(now - 60_000).toISOString();
  const person = (personId: string, userId: string) => ({
    personId,
    name: personId,
    accounts: [{ platform: 'local', host: 'demo', userId }],
  });
  return {
    minimumVersion: '0.1.0',
    releases: [release],
    keys: ROLES.filter((role) => role !== 'release' && role !== 'notary').map((role) => ({
      id: `demo-${role}`,
      from,
      until: null,
      revokedAt: null,
    })),
    revokedDigests: [],
    agreements: [{ service: 'cloud-provider', effective: '2020-01-01T00:00:00Z', expires: '2100-01-01T00:00:00Z' }],
    waivers: [],
    people: [person('dev-1', '101'), person('dev-2', '102'), person('lead-1', '201')],
    groups: [
      { group: 'release-approvers', personId: 'lead-1', active: true, from: '2020-01-01T00:00:00Z', until: null },
      { group: 'release-approvers', personId: 'dev-1', active: true, from: '2020-01-01T00:00:00Z', until: null },
    ],
  };
}
