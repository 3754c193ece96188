import type { Facts } from '../contract/facts.ts';
import type { Contract } from '../contract/load-contract.ts';
import type { Register } from '../contract/register.ts';
import type { workflow } from '../contract/subject.ts';
import type { Target } from '../contract/target.ts';
import { redact } from '../evidence/redact.ts';
import type { SignedRegister } from '../evidence/register.ts';
import { boundApprovals } from '../identity/approvals.ts';
import { approvalFacts, sourceFacts } from '../identity/people.ts';
import { parseTime } from '../lib/time.ts';
import type * as z from '../lib/zod.ts';
import type { Deployed, PlatformApproval, RunIdentity, Source } from '../platform/platform.ts';
import type { RegistryClient } from '../registry/client.ts';
import { readImage } from '../registry/image.ts';
import type { Reference } from '../registry/reference.ts';
import { type AttestationFacts, attestationFacts } from './attestations.ts';
import { type Ledger, recordsAbout, type VerifiedRecord } from './evidence.ts';
import { approvalsBeforeIn, isSameAttempt, type Opening, openingOf } from './opening.ts';
import { type RunningRelease, releaseOf } from './release.ts';
import { scanFacts } from './scans.ts';

/** What is asked, and what the platform said about this run. */
export interface Question {
  stage: Facts['stage'];
  environment: string;
  target: Target | null;
  image: Reference;
  identity: RunIdentity;
  source: Source;
  /** The commit that is deployed; null where none is. */
  deployed: Deployed | null;
  approvals: PlatformApproval[];
  /** Key of the record that holds the approvals. */
  approvalsFrom: string;
}

export interface World extends Ledger {
  contract: Contract;
  register: SignedRegister;
  registry: RegistryClient;
  release: RunningRelease;
  /** Who says what time `now` is. */
  clock: Facts['clock'];
}

/** Record types that are looked up by the image's digest and by the commit. */
const ABOUT_IMAGE = ['build.completed', 'sbom.created', 'artifact.signed', 'gate.decided'];
const ABOUT_COMMIT = ['run.opened', 'change.reviewed', 'approval.decided'];

/**
 * Assembles facts from verified evidence: the registry's signed statements, the ledger's signed records, the register and the
 * platform's own answers. It collects and verifies; it decides nothing. What looks like a secret is replaced before anything
 * is judged: facts are stored as they were judged, for years. Throws CouldNot when a source does not answer.
 */
export async function assembleFacts(question: Question, world: World): Promise<Facts> {
  const { image, identity, environment } = question;
  const { register } = world.register;
  const manifests = await readImage(world.registry, image.repository, image.digest);
  const subjects = manifests.map(({ descriptor, platform }) => ({
    name: image.name,
    kind: 'image' as const,
    digest: descriptor.digest,
    platform,
  }));
  const about = await Promise.all(subjects.map(({ digest }) => recordsAbout(world, digest, ABOUT_IMAGE)));
  const commit = await recordsAbout(world, `gitCommit:${identity.run.sha}`, ABOUT_COMMIT);
  const attestations = await Promise.all(
    subjects.map(({ digest }, i) =>
      attestationFacts(
        world,
        world.registry,
        { repository: image.repository, digest },
        (about[i]?.records ?? []).filter(({ record }) => record.type === 'artifact.signed'),
        identity.run.repositoryId,
      ),
    ),
  );
  const scans = await Promise.all(
    [...subjects.map(({ digest }) => digest), `gitCommit:${identity.run.sha}`].map((digest) =>
      scanFacts(world, world.contract, digest),
    ),
  );
  const environments = world.contract.file.environments;
  const rules = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  const records = [...about.flatMap((each) => each.records), ...commit.records];
  const opening = openingOf(identity.run, environment, records);
  const approvals = approvalsThatCount(question, records, opening);
  const facts: Facts = {
    schema: 'gatehouse/facts/1',
    stage: question.stage,
    environment,
    target: question.target,
    subjects,
    run: identity.run,
    workflow: workflowFacts(identity, register, world),
    source: sourceFacts(identity, question.source, question.deployed?.sha ?? null, register),
    ...joined(attestations),
    scans: scans.flat(),
    approvals: approvalFacts(
      identity.run,
      approvals,
      register,
      rules?.approvals.groups ?? [],
      world.now,
      question.approvalsFrom,
    ),
    runner: { name: identity.run.runner.name, pool: identity.run.runner.pool, hosted: identity.run.runner.hosted },
    registries: [image.registry],
    services: register.agreements
      .filter(({ service }) => rules?.services.includes(service) === true)
      .map(({ service, effective, expires }) => ({ id: service, effective: ms(effective), expires: ms(expires) })),
    tls: [],
    waivers: register.waivers.map(({ effective, expires, ...waiver }) => ({
      ...waiver,
      effective: ms(effective),
      expires: ms(expires),
    })),
    revoked: register.revokedDigests.map(({ digest }) => digest),
    receipts: receiptsOf(question, records, scans.flat()),
    changeTicket: null,
    register: {
      digest: world.register.digest,
      number: register.number,
      time: ms(register.time),
      openedWith: opening.register,
    },
    clock: world.clock,
  };
  return redact(facts).value;
}

function workflowFacts(
  { run, workflow: seen }: RunIdentity,
  register: Register,
  { release, now }: World,
): z.infer<typeof workflow> {
  return { ...seen, release: releaseOf(register, release, { run, jobSha: seen.jobSha }, now) };
}

function joined(all: AttestationFacts[]): AttestationFacts {
  return {
    signatures: all.flatMap((each) => each.signatures),
    provenance: all.flatMap((each) => each.provenance),
    sboms: all.flatMap((each) => each.sboms),
  };
}

/**
 * The records that stand for stages. What belongs to a run must be of this run and attempt; what belongs to the image may be of
 * an earlier run. An opening, an approval or a promote decision counts for its own environment only.
 */
function receiptsOf(question: Question, records: VerifiedRecord[], scans: Facts['scans']): Facts['receipts'] {
  const { identity, environment } = question;
  const counts = (found: VerifiedRecord) => {
    const { type, outcome } = found.record;
    if (['build.completed', 'sbom.created', 'artifact.signed'].includes(type)) return outcome === 'success';
    if (!isSameAttempt(found.record.run, identity.run)) return false;
    if (type === 'gate.decided') return isPromotion(question, found);
    return type === 'change.reviewed' || found.record.environment === environment;
  };
  return [
    ...records.filter(counts).map(({ record, key, storedAt }) => ({ type: record.type, key, time: storedAt })),
    ...scans.flatMap(({ from, time }) => (time === null ? [] : [{ type: 'scan.completed', key: from, time }])),
  ];
}

/** Whether this record promoted this very image, for this environment, in this attempt. */
function isPromotion({ identity, environment, image }: Question, { record }: VerifiedRecord): boolean {
  return (
    record.type === 'gate.decided' &&
    isSameAttempt(record.run, identity.run) &&
    record.outcome === 'success' &&
    record.data.stage === 'promote' &&
    record.data.simulated === false &&
    record.environment === environment &&
    record.subjects.some((subject) => subject.digest === image.digest)
  );
}

/**
 * The approvals without those that had been given before the first decision that promoted the image, or before the run was
 * opened where none did. Where the record does not say which those were, none counts.
 */
function approvalsThatCount(question: Question, records: VerifiedRecord[], opening: Opening): PlatformApproval[] {
  const [promotion] = records
    .filter((found) => isPromotion(question, found))
    .toSorted((a, b) => a.storedAt - b.storedAt);
  const before = promotion === undefined ? opening.approvalsBefore : approvalsBeforeIn(promotion);
  if (opening.approvalsBefore === null || before === null) return [];
  return boundApprovals(question.approvals, before, promotion?.storedAt ?? null);
}

/** The schema has accepted the time. */
function ms(time: string): number {
  return parseTime(time) as number;
}
