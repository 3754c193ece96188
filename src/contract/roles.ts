import * as z from '../lib/zod.ts';

/** One key each: what a stolen key can sign is what its role may say, and nothing else. */
export const role = z.enum(['gate', 'build', 'scan', 'deploy', 'notary', 'cluster', 'admin', 'release', 'emit']);
export type Role = z.infer<typeof role>;

/** Which role may sign which record type. A record signed by another role is a finding, never a fact. */
export const roleOfType = {
  'run.opened': 'gate',
  'run.sealed': 'gate',
  'change.reviewed': 'gate',
  'approval.decided': 'gate',
  'gate.decided': 'gate',
  'exception.granted': 'gate',
  'exception.used': 'gate',
  'breakglass.used': 'gate',
  'build.completed': 'build',
  'sbom.created': 'build',
  'artifact.signed': 'build',
  'artifact.published': 'build',
  'scan.completed': 'scan',
  'tls.verified': 'scan',
  'deploy.intent': 'deploy',
  'deploy.outcome': 'deploy',
  'store.attested': 'notary',
  'key.rotated': 'notary',
  'deploy.reconciled': 'notary',
  'admission.decided': 'cluster',
  'drift.checked': 'cluster',
  'access.reviewed': 'admin',
  'access.granted': 'admin',
  'access.revoked': 'admin',
  'access.snapshot': 'admin',
  'inventory.checked': 'admin',
  'contract.released': 'release',
  'contract.retired': 'release',
  'test.completed': 'emit',
} as const satisfies Record<string, Role>;

export type RecordType = keyof typeof roleOfType;
export const recordTypes = Object.keys(roleOfType) as [RecordType, ...RecordType[]];
