import type { Run } from '../../contract/run.ts';
import { CouldNot, Denied } from '../../lib/errors.ts';
import { type GitlabApi, NEED } from './api.ts';
import { bridges, childPipeline, project } from './replies.ts';

/** What a job of the parent pipeline was to start; null where it started nothing. */
export interface Started {
  /** Name of the job. */
  by: string;
  /** Path of the project whose pipeline it started, as GitLab has it now. */
  path: string | null;
  pipeline: { id: number; project_id: number; sha: string; ref: string; source: string } | null;
}

/** A pipeline of another repository that a job of the parent pipeline started, as its own project's API confirms it. */
export interface Child {
  path: string;
  projectId: string;
  pipelineId: string;
  /** `refs/heads/…` */
  ref: string;
  sha: string;
  /** Of the whole pipeline. */
  status: string;
  /** User id of whoever started it: another one than the parent's where the starting job was retried. */
  startedBy: string;
}

/** The jobs of this run's pipeline that start other pipelines: GitLab lists them beside the ordinary ones. */
export function bridgesOf(api: GitlabApi, run: Pick<Run, 'id'>) {
  const what = `read which pipelines pipeline ${run.id} started`;
  return api.list({ path: `/pipelines/${run.id}/bridges`, schema: bridges, what, need: NEED });
}

/**
 * All pipelines that jobs of this run's pipeline started. GitLab gives the newest attempt of each such job; the numbers of
 * project and pipeline come from it, never from a variable or from what a child wrote.
 */
export async function startedBy(api: GitlabApi, run: Run): Promise<Started[]> {
  const all = await bridgesOf(api, run);
  const started: Started[] = [];
  for (const { name: by, downstream_pipeline: pipeline } of all) {
    if (pipeline === null) {
      started.push({ by, path: null, pipeline });
      continue;
    }
    const id = pipeline.project_id;
    const found = await api.of(String(id)).get({ path: '', schema: project, what: `read project ${id}`, need: NEED });
    if (found.id !== id) throw inconsistent(`project ${id} answers as project ${found.id}`);
    started.push({ by, path: found.path_with_namespace, pipeline });
  }
  return started;
}

/**
 * The one child pipeline of a project. Throws Denied `children.missing` where none was started, `children.twice` for several,
 * `children.foreign` for a pipeline that is no other repository's.
 */
export async function childOf(api: GitlabApi, run: Run, path: string, started?: Started[]): Promise<Child> {
  const all = started ?? (await startedBy(api, run));
  const [found, ...more] = all.filter((each) => each.path === path);
  if (found?.pipeline == null) {
    const names = all.map((each) => each.path ?? `${each.by} (nothing)`).join(', ') || 'none';
    throw new Denied(
      'children.missing',
      `pipeline ${run.id} started no pipeline of ${path}; it started: ${names}. Without it there is nothing to take; see why its job failed, and start a new pipeline`,
    );
  }
  if (more.length > 0)
    throw new Denied(
      'children.twice',
      `pipeline ${run.id} started ${more.length + 1} pipelines of ${path}: which of them was meant cannot be told`,
    );
  const { id, project_id: projectId, sha, ref } = found.pipeline;
  const own = await api.of(String(projectId)).get({
    path: `/pipelines/${id}`,
    schema: childPipeline,
    what: `read pipeline ${id} of ${path}`,
    need: NEED,
  });
  if (own.id !== id || own.project_id !== projectId || own.sha !== sha || own.ref !== ref)
    throw inconsistent(
      `pipeline ${id} of ${path} is ${ref} at ${sha} for its parent, and pipeline ${own.id} of project ${own.project_id}, ${own.ref} at ${own.sha}, for itself`,
    );
  // Another source is a child of the parent's own configuration, or somebody's own pipeline.
  if (own.source !== 'pipeline' || String(projectId) === run.repositoryId || own.tag)
    throw new Denied(
      'children.foreign',
      `pipeline ${id} of ${path} is of source ${own.source}${own.tag ? ', of a tag' : ''}: taken are pipelines of a branch of another project that a trigger job started`,
    );
  return {
    path,
    projectId: String(projectId),
    pipelineId: String(id),
    ref: `refs/heads/${ref}`,
    sha,
    status: own.status,
    startedBy: String(own.user.id),
  };
}

/** Throws Denied unless the started pipelines are of exactly these projects, each once. */
export function requireExactly(run: Run, started: readonly Started[], paths: readonly string[]): void {
  const nothing = started.filter(({ path }) => path === null);
  if (nothing.length > 0)
    throw new Denied(
      'children.not_started',
      `${nothing.map(({ by }) => by).join(', ')} started no pipeline: a repository that is missing is no success`,
    );
  const extra = started.filter(({ path }) => !paths.includes(path as string));
  if (extra.length > 0)
    throw new Denied(
      'children.extra',
      `pipeline ${run.id} started pipelines that nobody named: ${extra.map(({ by, path }) => `${path} (by ${by})`).join(', ')}; name all repositories of a run, or take the job out`,
    );
  for (const path of paths)
    if (!started.some((each) => each.path === path))
      throw new Denied('children.missing', `pipeline ${run.id} started no pipeline of ${path}, which is named`);
}

function inconsistent(why: string): CouldNot {
  return new CouldNot('platform.inconsistent', `GitLab contradicts itself: ${why}; run again`);
}
