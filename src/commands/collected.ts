import { lstatSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Collected, childJob, collected, type Part } from '../contract/collected.ts';
import { problemText } from '../contract/problems.ts';
import type { Run } from '../contract/run.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { fileDigest, readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';

export const COLLECTED = 'collected.json';

/**
 * Who vouches for reports that were collected; the contract must name it among the importers. Whoever owns a runner writes what
 * its jobs leave, so a report of a runner that the contract does not list has another name, which a contract may accept too.
 */
export const GITLAB_CHILD = { inPool: 'gitlab-child', elsewhere: 'gitlab-child-any-runner' } as const;

/**
 * A folder that `collect` left, if it is of this very run, of the wanted job, and holds the very files. It is made and read in
 * one trusted job; the check is against mistakes such as a folder of another repository or an older run. Throws Denied
 * `collected.run`, `.job`, `.changed`; gives the folder of its files.
 */
export async function openCollected(
  folder: string,
  part: Part,
  run: Run,
): Promise<{ files: string; document: Collected }> {
  const parsed = collected.safeParse(
    parseJson(readInput(join(folder, COLLECTED), 'what was collected', 8 * 1024 * 1024), COLLECTED),
  );
  if (!parsed.success)
    throw new BadInput(
      'collected.schema',
      `${folder} is not a folder of collect: ${problemText(parsed.error, collected)}`,
    );
  const document = parsed.data;
  const { parent, child } = document;
  const same =
    run.parent !== null &&
    parent.host === run.parent.host &&
    parent.repositoryId === run.parent.repositoryId &&
    parent.runId === run.parent.runId &&
    child.repositoryId === run.repositoryId &&
    child.runId === run.id &&
    child.sha === run.sha &&
    child.ref === run.ref;
  if (!same)
    throw new Denied(
      'collected.run',
      `${folder} was collected from pipeline ${child.runId} of ${child.repository} at ${child.sha}, this is about pipeline ${run.id} of ${run.repository} at ${run.sha}; nothing was signed`,
    );
  const job = childJob(part);
  if (document.job.name !== job)
    throw new Denied(
      'collected.job',
      `${folder} holds what job ${document.job.name} left, not ${job}; nothing was signed`,
    );
  const files = join(folder, 'files');
  const found = new Set(filesIn(files));
  for (const { path, digest } of document.files) {
    if (!found.delete(path) || (await digestOfFile(join(files, path))) !== digest)
      throw new Denied('collected.changed', `${path} in ${folder} is not what was collected; nothing was signed`);
  }
  if (found.size > 0)
    throw new Denied('collected.changed', `${[...found][0]} in ${folder} was not collected; nothing was signed`);
  return { files, document };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(folder, path)).isDirectory())
    .map((path) => relative('.', path));
}

async function digestOfFile(path: string): Promise<string | null> {
  return lstatSync(path).isFile() ? await fileDigest(path) : null;
}
