import type { Run } from '../../contract/run.ts';
import { contributorsOf, distinct } from '../contributors.ts';
import type { Source } from '../platform.ts';
import type { GitlabApi } from './api.ts';
import { changeOf } from './change.ts';
import { branch as branchReply, commitReply, mergeBase } from './replies.ts';

const NEED = 'scope read_api and role Reporter';
const BRANCH = 'refs/heads/';

/**
 * The pipeline's commit as GitLab tells it. Who pushed is not asked: of a pipeline with source `push` it is the pipeline's own
 * user, who counts as trigger anyway, and the events API forgets.
 */
export async function gitlabSource(api: GitlabApi, run: Run): Promise<Source> {
  const commit = await api.get({
    path: `/repository/commits/${run.sha}`,
    schema: commitReply,
    what: `read commit ${run.sha}`,
    need: NEED,
  });
  const where = await standing(api, run);
  const change = await changeOf(api, run);
  const own = {
    message: commit.message,
    author: { userId: null, email: commit.author_email },
    committer: { userId: null, email: commit.committer_email },
  };
  // GitLab wrote the merge or squash commit itself: for the people who merged and opened the request, whom it names.
  const written = change === null || change.commits.some(({ sha }) => sha === run.sha) ? [own] : [];
  return {
    ...where,
    base: change?.base ?? commit.parent_ids[0] ?? null,
    contributors: distinct([
      ...contributorsOf([...written, ...(change?.commits ?? [])], `users.noreply.${run.host}`),
      ...(change === null
        ? []
        : [
            { userId: change.openedBy, as: 'author' as const },
            { userId: change.mergedBy, as: 'committer' as const },
          ]),
    ]),
    reviews: change?.reviews ?? [],
  };
}
