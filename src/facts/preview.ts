import type { Facts } from '../contract/facts.ts';
import type { Contract } from '../contract/load-contract.ts';
import type { ScanReport } from '../contract/scan-report.ts';
import { reportFact } from './scans.ts';

/** One report of a folder that a scan job left, and what it is about: a commit, or an image by its digest. */
export interface PreviewReport {
  report: ScanReport;
  subject: { commit: string } | { image: string };
}

const NOBODY = '0'.repeat(40);
const NOTHING = `sha256:${'0'.repeat(64)}`;
const HERE = 'preview';

/**
 * What would be known to the gate if nothing but these scans had happened: no signature, no review, no approval, no register.
 * For a preview alone: nothing here is verified, so what is judged by it is never a decision. `now` in milliseconds.
 */
export function previewFacts(
  contract: Contract,
  environment: string,
  reports: readonly PreviewReport[],
  now: number,
): Facts {
  const sha = reports.flatMap(({ subject }) => ('commit' in subject ? [subject.commit] : []))[0] ?? NOBODY;
  const images = [...new Set(reports.flatMap(({ subject }) => ('image' in subject ? [subject.image] : [])))];
  const runner = { name: HERE, pool: HERE, hosted: true };
  const workflow = { ref: HERE, sha };
  return {
    schema: 'gatehouse/facts/1',
    stage: 'promote',
    environment,
    target: null,
    subjects: (images.length === 0 ? [NOTHING] : images).map((digest) => ({
      name: HERE,
      kind: 'image',
      digest,
      platform: null,
    })),
    run: {
      platform: 'local',
      host: HERE,
      repository: HERE,
      repositoryId: HERE,
      id: HERE,
      attempt: 1,
      parent: null,
      caller: null,
      workflow,
      ref: HERE,
      sha,
      event: HERE,
      job: HERE,
      runner: { ...runner, environment: HERE, image: null },
    },
    workflow: { callerRef: null, callerSha: null, jobRef: null, jobSha: null, release: null },
    source: {
      repositoryId: HERE,
      ref: HERE,
      sha,
      protected: false,
      reachableFromProtected: false,
      reviews: [],
      people: [{ personId: null, as: 'author' }],
      base: null,
      beneath: null,
    },
    signatures: [],
    provenance: [],
    sboms: [],
    scans: reports.map(({ report, subject }) => ({
      subject: 'image' in subject ? subject.image : null,
      commit: 'commit' in subject ? subject.commit : null,
      report: reportFact(contract, report),
      time: now,
      from: HERE,
    })),
    approvals: [],
    runner,
    registries: [HERE],
    services: [],
    tls: [],
    waivers: [],
    revoked: [],
    receipts: [],
    changeTicket: null,
    register: { digest: NOTHING, number: 1, time: 0, openedWith: null },
    clock: 'local',
  };
}
