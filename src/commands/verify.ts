import { dirname, resolve } from 'node:path';
import { CYCLONEDX_TYPE, SIGNATURE_TYPE } from '../attestation/image.ts';
import { PROVENANCE_TYPE } from '../attestation/provenance.ts';
import { verifyStatement } from '../attestation/verify.ts';
import { PREDICATE_TYPE } from '../contract/record.ts';
import type { Role } from '../contract/roles.ts';
import { type LedgerKey, readLedgerKeys } from '../evidence/ledger-keys.ts';
import { VERDICT_TYPE } from '../gate/verdict.ts';
import { Denied } from '../lib/errors.ts';
import * as z from '../lib/zod.ts';
import { type Attachment, readAttachments } from '../registry/attachments.ts';
import { readImage } from '../registry/image.ts';
import { command } from './command.ts';
import { text } from './inputs.ts';
import { imageByDigest, openRegistry } from './registry.ts';
import { ownContract, ownContractPath } from './release.ts';
import { releaseKeys, storeOf } from './stage.ts';

interface Check {
  role: Role | null;
  type: string;
  predicateType: string | null;
  status: 'verified' | 'failed';
  signer: string | null;
  reason: string | null;
}

/** Statements that we make about images: the role whose key makes them, and whether an image must carry one. */
const KINDS: { predicateType: string; type: string; role: Role; demanded: boolean }[] = [
  { predicateType: SIGNATURE_TYPE, type: 'signature', role: 'build', demanded: true },
  { predicateType: PROVENANCE_TYPE, type: 'provenance', role: 'build', demanded: true },
  { predicateType: CYCLONEDX_TYPE, type: 'sbom', role: 'build', demanded: false },
  { predicateType: PREDICATE_TYPE, type: 'scan', role: 'scan', demanded: false },
  { predicateType: VERDICT_TYPE, type: 'verdict', role: 'gate', demanded: false },
];

export const verify = command({
  name: 'verify',
  summary: 'verifies what is attached to an image: signature, provenance, SBOM, scans, verdict',
  description: [
    'Reads everything attached to the image, and to each platform of an index, in its registry, and verifies each statement by a',
    'key of the role that may make it and that is in force now. Signature and provenance by role build must be there; what',
    'nobody of ours signed is listed as failed and counts for nothing.',
    'Exit code: 0 verified, 1 not, 2 bad input, 3 registry or store did not answer.',
  ].join('\n'),
  examples: [{ says: 'is this image ours?', command: 'gatehouse verify registry.example.org/app/web@sha256:… --json' }],
  inputs: z.strictObject({
    image: text({ description: 'image by digest, registry/repository@sha256:…', positional: 0, value: 'IMAGE@DIGEST' }),
  }),
  run: async (given, context) => {
    const { registry, repository, digest } = await imageByDigest(given.image, context);
    const contract = ownContract(context.home);
    const store = storeOf(contract.file.evidence.store, dirname(resolve(ownContractPath(context.home))), context.env);
    const { keys } = await readLedgerKeys(
      store,
      releaseKeys(contract).map((key) => key.publicKeyPem),
    );
    const client = await openRegistry(registry, context);
    const checks: Check[] = [];
    for (const { descriptor } of await readImage(client, repository, digest)) {
      const attached = await readAttachments(client, repository, descriptor.digest);
      const found = attached
        .filter(({ kind }) => kind === 'bundle' || kind === 'unreadable')
        .map((each) => checkOne(each, descriptor.digest, keys, context.now()));
      checks.push(...found, ...missing(found, descriptor.digest));
    }
    const verified = checks.every(({ type, status }) => status === 'verified' || type === 'foreign');
    return {
      exit: verified ? 0 : 1,
      json: { status: verified ? 'verified' : 'failed', image: given.image, checks },
      text: [
        `${verified ? 'verified' : 'FAILED'} ${given.image}`,
        ...checks.map(
          ({ type, status, signer, reason }) =>
            `${status === 'verified' ? '✔' : '✖'} ${type.padEnd(11)} ${signer ?? ''}${reason ?? ''}`,
        ),
      ].join('\n'),
    };
  },
});

/** The first kind whose keys verify the bundle; what none of them verifies is somebody else's. */
function checkOne(attachment: Attachment, digest: string, keys: LedgerKey[], now: number): Check {
  if (attachment.kind !== 'bundle') {
    return {
      role: null,
      type: 'foreign',
      predicateType: null,
      status: 'failed',
      signer: null,
      reason: attachment.kind === 'unreadable' ? attachment.error.message : 'not a Sigstore bundle',
    };
  }
  let reason = 'nobody signed it';
  for (const { predicateType, type, role } of KINDS) {
    const trusted = keys.filter((key) => key.role === role);
    try {
      const { signer } = verifyStatement(
        attachment.bytes,
        {
          keys: trusted,
          subjectDigest: digest,
          predicateTypes: [predicateType],
          inForce: (id) => trusted.some((key) => key.id === id && key.inForce(now)),
        },
        `referrer ${attachment.from}`,
      );
      return { role, type, predicateType, status: 'verified', signer, reason: null };
    } catch (cause) {
      if (!(cause instanceof Denied)) throw cause;
      reason = cause.message;
    }
  }
  return { role: null, type: 'foreign', predicateType: null, status: 'failed', signer: null, reason };
}

function missing(found: Check[], digest: string): Check[] {
  return KINDS.filter(
    ({ demanded, type }) => demanded && !found.some((check) => check.type === type && check.status === 'verified'),
  ).map(({ role, type, predicateType }) => ({
    role,
    type,
    predicateType,
    status: 'failed',
    signer: null,
    reason: `${digest} has no ${type} by a key of role ${role}`,
  }));
}
