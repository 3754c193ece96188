import type { Record } from '../contract/record.ts';
import type { Run } from '../contract/run.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf, hexOf } from '../lib/digest.ts';

/*
 * Where things lie in a store. Names carry the digest of the very bytes, cut to 32 hex digits, so that a retry meets itself
 * and a changed object contradicts its name.
 */

/** Which process of a run wrote a record: the platform's job id, unique per attempt, and a key for the step in it. Both slugs. */
export interface Place {
  jobKey: string;
  stepKey: string;
}

/** A run's name in keys, findings and grouping: `<platform>~<host>~<repository id>/<run id>`, over all its attempts. */
export function runName(run: Pick<Run, 'platform' | 'host' | 'repositoryId' | 'id'>): string {
  return `${run.platform}~${run.host}~${run.repositoryId}/${run.id}`;
}

function runFolder(run: Run, day: string): string {
  return `dt=${day}/repo=${run.platform}~${run.host}~${run.repositoryId}/run=${run.id}`;
}

/** Prefix of the run's records of one day, `YYYY-MM-DD`. */
export function recordPrefix(run: Run, day: string): string {
  return `v1/records/${runFolder(run, day)}/`;
}

/** Key of a record; `digest` is of its envelope as it is stored. */
export function recordKey(record: Record, place: Place, digest: string): string {
  const file = `${place.stepKey}-${String(record.seq).padStart(4, '0')}-${record.type}-${short(digest)}.json`;
  return `${recordPrefix(record.run, dayOf(record))}${place.jobKey}/${file}`;
}

/** Key of a seal; `digest` is of all its lines as they are stored. */
export function sealKey(record: Record, digest: string): string {
  return `v1/seals/${runFolder(record.run, dayOf(record))}/seal-${record.run.attempt}-${short(digest)}.ndjson`;
}

const RUN_FOLDER = 'dt=(?<day>\\d{4}-\\d{2}-\\d{2})/repo=(?<repo>[^/]+)/run=(?<run>[^/]+)';
const RECORD_KEY = new RegExp(
  `^v1/records/${RUN_FOLDER}/(?<jobKey>[^/]+)/(?<stepKey>[^/]+)-(?<seq>\\d{4})-(?<type>[a-z]+(?:\\.[a-z]+)+)-(?<hex>[0-9a-f]{32})\\.json$`,
);
const SEAL_KEY = new RegExp(`^v1/seals/${RUN_FOLDER}/seal-(?<attempt>[1-9]\\d*)-(?<hex>[0-9a-f]{32})\\.ndjson$`);

/** The place that a record's key claims, or null when the key is not one of a record. */
export function placeOf(key: string): Place | null {
  const parts = RECORD_KEY.exec(key)?.groups;
  return parts === undefined ? null : { jobKey: parts.jobKey as string, stepKey: parts.stepKey as string };
}

/** The run that a record's or seal's key lies under, or null. Nothing about it is verified. */
export function runOfKey(key: string): string | null {
  const parts = (RECORD_KEY.exec(key) ?? SEAL_KEY.exec(key))?.groups;
  return parts === undefined ? null : `${parts.repo}/${parts.run}`;
}

/** The 32 hex digits that a record's or seal's name ends in, or null. */
export function hexOfKey(key: string): string | null {
  return (RECORD_KEY.exec(key) ?? SEAL_KEY.exec(key))?.groups?.hex ?? null;
}

/** The attempt in a seal's name, or null when the key is not one of a seal. */
export function attemptOfSealKey(key: string): number | null {
  const attempt = SEAL_KEY.exec(key)?.groups?.attempt;
  return attempt === undefined ? null : Number(attempt);
}

/** Types that are looked up by digest: what an image still lacks, what was decided about it, what became of it. */
const POINTED: ReadonlySet<string> = new Set([
  'run.opened',
  'change.reviewed',
  'approval.decided',
  'build.completed',
  'sbom.created',
  'artifact.signed',
  'scan.completed',
  'gate.decided',
  'deploy.outcome',
  'exception.granted',
]);

/** Keys of the by-digest pointers that this record owes: one for each image, commit or place of a deploy that it is about. */
export function pointerKeys(record: Record, digest: string): string[] {
  if (!POINTED.has(record.type)) return [];
  const subjects = record.subjects.filter((subject) => subject.kind === 'image' || subject.kind === 'commit');
  const about = [...subjects.map((subject) => subject.digest), ...placesOf(record)];
  return [...new Set(about.map((each) => pointerKey(each, record.type, short(digest))))];
}

/** Key of the pointer at a digest to the record whose name ends in these hex digits. */
export function pointerKey(about: string, type: string, hex: string): string {
  return `${pointerPrefix(about)}${type}-${hex}.json`;
}

/** What the gate's yes to a deploy is looked up by: its environment, and its target there. No other record has places. */
export function placesOf({ type, outcome, environment, run, data }: Record): string[] {
  const allows =
    type === 'gate.decided' && outcome === 'success' && data.stage === 'deploy' && data.simulated === false;
  if (!allows || environment === null) return [];
  return [placeDigest(run, environment, null), placeDigest(run, environment, data.target)];
}

/** Stands in pointers for an environment of a repository, or for one target in it. */
export function placeDigest(run: Run, environment: string, target: unknown): string {
  const { platform, host, repositoryId } = run;
  return digestOf(canonicalBytes({ platform, host, repositoryId, environment, target: target ?? null }));
}

/** Prefix of all pointers for a digest, `sha256:…` or `gitCommit:…`. */
export function pointerPrefix(digest: string): string {
  return `v1/by-digest/${digest.replace(':', '-')}/`;
}

/**
 * Key of an attachment’s bytes; `digest` is of the content before compression, `suffix` keeps apart what must not be replaced.
 */
export function blobKey(digest: string, gzip: boolean, suffix = ''): string {
  const hex = hexOf(digest);
  return `v1/blobs/sha256/${hex.slice(0, 2)}/${hex}${suffix}${gzip ? '.gz' : ''}`;
}

const BLOB_KEY = /^v1\/blobs\/sha256\/(?<two>[0-9a-f]{2})\/(?<hex>[0-9a-f]{64})(?:~[0-9a-z]+)?(?<gzip>\.gz)?$/;

/** The digest of the content that a blob's key claims and whether it is compressed, or null when it is not one of a blob. */
export function blobOfKey(key: string): { digest: string; gzip: boolean } | null {
  const parts = BLOB_KEY.exec(key)?.groups;
  if (parts?.hex === undefined || !parts.hex.startsWith(parts.two as string)) return null;
  return { digest: `sha256:${parts.hex}`, gzip: parts.gzip !== undefined };
}

/** Key of the mark that uses a decision up. */
export function onceKey(decisionId: string): string {
  return `v1/once/${decisionId}.json`;
}

/** Padded, so that a listing in order of names is in order of leaves. */
export function batchKey(first: number): string {
  return `v1/log/batch/${String(first).padStart(12, '0')}.json`;
}

/** The partition of a record: the day of its own time. */
export function dayOf(record: Record): string {
  return record.time.slice(0, 10);
}

function short(digest: string): string {
  return hexOf(digest).slice(0, 32);
}
