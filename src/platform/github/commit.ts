import type { ToldCommit } from '../contributors.ts';
import type { CommitReply } from './replies.ts';

/** GitHub's own account, which commits what people do in its web interface. */
const WEB = 'web-flow';

/**
 * A commit with its accounts. Where GitHub itself committed, and signed that it did, the person at the keyboard is the author.
 * An unsigned commit in that name is anybody's: its committer is nobody known.
 */
export function toldCommit({ author, committer, commit }: CommitReply): ToldCommit {
  const authorId = author === null ? null : String(author.id);
  const told = {
    message: commit.message,
    author: { userId: authorId, email: commit.author?.email ?? null },
  };
  if (committer?.login !== WEB) {
    const userId = committer === null ? null : String(committer.id);
    return { ...told, committer: { userId, email: commit.committer?.email ?? null } };
  }
  return { ...told, committer: { userId: commit.verification?.verified === true ? authorId : null, email: null } };
}
