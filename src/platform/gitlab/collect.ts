import type { Run } from '../../contract/run.ts';
import { CouldNot, Denied } from '../../lib/errors.ts';
import { type GitlabApi, NEED } from './api.ts';
import { requireJobs } from './child-jobs.ts';
import { type Child, childOf, requireExactly, startedBy } from './children.ts';
import { requireFixedConfiguration } from './fixed-configuration.ts';
import { type ChildJob, lint } from './replies.ts';
import { requireSameJobs, type Template } from './same-job.ts';
import { standing } from './source.ts';

export interface Wanted {
  /** Path of the project. */
  path: string;
  /** The other projects whose pipelines this run started. */
  others: readonly string[];
  /** `refs/heads/…` */
  ref: string;
  /** The very commit, where the caller knows it. */
  commit: string | null;
  /** Name of the job whose artifacts are wanted. */
  job: string;
  /** The child component, as this release has it. */
  template: Template;
  /** Commits of the component project that a child may include it at. */
  releases: readonly string[];
  /** Images, by digest, that its scan may run in. */
  scanImages: readonly string[];
  /** Most bytes of the archive. */
  limit: number;
}

export interface Fetched {
  child: Child;
  job: ChildJob;
  archive: Buffer;
}

/**
 * Fetches what a job of our child component left in another repository's pipeline, by the job's number, after GitLab has
 * confirmed that the pipeline is this run's, of the wanted branch and commit, that its jobs are ours and all succeeded.
 *
 * Throws Denied `children.*` for the first thing that is not so, CouldNot where GitLab does not answer.
 */
export async function fetchFromChild(api: GitlabApi, run: Run, wanted: Wanted): Promise<Fetched> {
  const started = await startedBy(api, run);
  requireExactly(run, started, [wanted.path, ...wanted.others]);
  const child = await childOf(api, run, wanted.path, started);
  const own = api.of(child.projectId);
  await requireCommit(own, run, child, wanted);
  const jobs = await requireJobs(own, child, wanted.template.started);
  const { template, releases, scanImages } = wanted;
  const components = releases.map((sha) => `${template.project}/child@${sha}`);
  await requireFixedConfiguration(own, child, components);
  const { valid, merged_yaml: merged } = await own.get({
    path: `/ci/lint?content_ref=${child.sha}`,
    schema: lint,
    what: `read the configuration of ${child.path} at ${child.sha}`,
    need: 'scope read_api and role Developer, also in what that configuration includes',
  });
  if (!valid || merged == null)
    throw new Denied(
      'children.configuration',
      `GitLab calls the configuration of ${child.path} at ${child.sha} invalid: what its jobs are cannot be told`,
    );
  requireSameJobs(template, merged, { 'component.sha': releases, 'inputs.job-image': scanImages }, child.path);
  const job = jobs.get(wanted.job) as ChildJob;
  return { child, job, archive: await archiveOf(own, child, job, wanted.limit) };
}

async function requireCommit(api: GitlabApi, run: Run, child: Child, { ref, commit }: Wanted): Promise<void> {
  const { path, sha } = child;
  if (child.ref !== ref) throw new Denied('children.ref', `the pipeline of ${path} is of ${child.ref}, not of ${ref}`);
  if (commit !== null && sha !== commit)
    throw new Denied(
      'children.commit',
      `the pipeline of ${path} is of commit ${sha}, not of ${commit}: the branch moved on; review that, or name it`,
    );
  const where = await standing(api, { ...run, repository: path, ref: child.ref, sha });
  if (!where.protected || !where.reachableFromProtected)
    throw new Denied(
      'children.unprotected',
      `${child.ref} of ${path} ${where.protected ? `does not hold commit ${sha} any more` : 'is not a branch to which nobody can push'}: whoever may push to it, a maintainer too, would decide what its jobs do; protect it with “Allowed to push: No one”, under every rule that covers it`,
    );
}

async function archiveOf(api: GitlabApi, { path }: Child, job: ChildJob, limit: number): Promise<Buffer> {
  const archives = job.artifacts.filter(({ file_type: type }) => type === 'archive');
  const [archive] = archives;
  if (archive === undefined || archives.length > 1)
    throw new Denied(
      'children.artifacts',
      `job ${job.name} of ${path} (${job.id}) has ${archives.length} archives of artifacts, expected one: they may have expired or been erased`,
    );
  if (archive.size > limit)
    throw new Denied(
      'children.too_large',
      `the artifacts of job ${job.name} of ${path} are ${archive.size} bytes, more than the ${limit} that are taken`,
    );
  const what = `fetch the artifacts of job ${job.id} of ${path}`;
  const bytes = await api.download({ path: `/jobs/${job.id}/artifacts`, what, need: NEED, limit });
  if (bytes.length !== archive.size)
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}: ${bytes.length} bytes came of ${archive.size}; run again`,
    );
  return bytes;
}
