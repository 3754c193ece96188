import { X509Certificate } from 'node:crypto';
import type { ContractFile } from './contract-file.ts';
import { pathText } from './problems.ts';
import type { Role } from './roles.ts';

/** Roles that the jobs of every promotion sign as. */
const OF_JOBS: readonly Role[] = ['gate', 'build', 'scan', 'deploy'];
/** Names of the contract that we ship, and the domains of examples (RFC 2606). */
const EXAMPLE = /(?<![\w-])example(-health|\.(org|com|net))(?!\w)/;

/**
 * What a contract that names GitHub or GitLab lacks for its jobs to come to an end: shown by `contract check` like every other
 * weakness, since nothing is let through by it and the first run would be where it is noticed.
 */
export function hostedWeaknesses(file: ContractFile): { path: string; why: string }[] {
  if (file.platforms.every(({ kind }) => kind === 'local')) return [];
  return [...unsigned(file), ...leftovers(file)];
}

/**
 * A job is handed no key: it signs with the one that the contract names by url. Release and notary are people, or schedules of
 * theirs, who bring a key along (--key), as are admin and cluster; emit is a job's, where there is such a key at all.
 */
function unsigned({ trust: { keys } }: ContractFile) {
  return [...OF_JOBS, ...(keys.emit === undefined ? [] : (['emit'] as const))]
    .filter((role) => !keys[role]?.some(({ url }) => url !== undefined))
    .map((role) => ({
      path: `trust.keys.${role}`,
      why: `${keys[role] === undefined ? 'no key of this role' : 'no key with a url'}: jobs on a platform are handed none, so nothing can be signed as ${role}; make one in a KMS and name it by url, see docs/fork.md`,
    }));
}

/** Values that still name the example. */
function leftovers(file: ContractFile) {
  return [...textsOf(file, [])].flatMap(({ path, text }) => {
    const found = EXAMPLE.exec(text)?.[0];
    return found === undefined
      ? []
      : [{ path: pathText(path), why: `still of the example, ${found}: put your own in its place` }];
  });
}

/** Every text of a document; of a certificate whose it is. */
function* textsOf(value: unknown, path: (string | number)[]): Generator<{ path: (string | number)[]; text: string }> {
  if (typeof value === 'string')
    yield { path, text: value.startsWith('-----BEGIN CERTIFICATE') ? new X509Certificate(value).subject : value };
  else if (Array.isArray(value)) for (const [i, each] of value.entries()) yield* textsOf(each, [...path, i]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, each] of Object.entries(value)) yield* textsOf(each, [...path, key]);
}
