import type { ContractFile } from '../contract/contract-file.ts';
import { problemText } from '../contract/problems.ts';
import type * as z from '../lib/zod.ts';
import type { ClaimedRun } from '../platform/platform.ts';

/** A platform of the contract that issues tokens. */
export type HostedPlatform = Exclude<ContractFile['platforms'][number], { kind: 'local' }>;

/** The run that a verified token claims, when it is one of the trusted workflow in the asked role, or why it is not. */
export type ClaimedIdentity = { ok: true; claimed: ClaimedRun } | { ok: false; why: string };

/** A refusal; `why` says what was claimed or is missing. */
export function untrusted(why: string): { ok: false; why: string } {
  return { ok: false, why };
}

/** Claims by a schema: a missing claim or one of another type is a refusal that names it. */
export function claimsOf<S extends z.ZodMiniType>(
  payload: unknown,
  schema: S,
): { ok: true; claims: z.infer<S> } | { ok: false; why: string } {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return { ok: true, claims: parsed.data };
  return untrusted(`the job's ID token lacks a claim or has one of another kind: ${problemText(parsed.error, schema)}`);
}
