import type { Contributor } from './platform.ts';

/** A commit as a platform tells it, with the accounts that the platform itself resolved. */
export interface ToldCommit {
  message: string;
  author: Told;
  committer: Told;
}

interface Told {
  userId: string | null;
  email: string | null;
}

/**
 * Everybody with a part in these commits: author, committer, and those whom the message's `Co-authored-by:` trailers name. A
 * trailer holds an e-mail address only; it counts as an account when it is the platform's own no-reply address, which begins
 * with the account's id, or the address of an author or committer whom the platform resolved. Anybody else is null: somebody
 * was there and nobody knows who. `noReplyHost` is for example `users.noreply.github.com`.
 */
export function contributorsOf(commits: readonly ToldCommit[], noReplyHost: string): Contributor[] {
  const known = new Map<string, string>();
  for (const { author, committer } of commits) {
    for (const { userId, email } of [author, committer]) {
      if (userId !== null && email !== null) known.set(email.toLowerCase(), userId);
    }
  }
  const byEmail = (email: string | null) =>
    email === null ? null : (known.get(email.toLowerCase()) ?? noReplyId(email, noReplyHost));
  return distinct(
    commits.flatMap(({ message, author, committer }): Contributor[] => [
      { userId: author.userId ?? byEmail(author.email), as: 'author' },
      { userId: committer.userId ?? byEmail(committer.email), as: 'committer' },
      ...coauthorEmails(message).map((email): Contributor => ({ userId: byEmail(email), as: 'coauthor' })),
    ]),
  );
}

/** Each pair of account and part once; unknown people stay one entry a part. */
export function distinct(contributors: readonly Contributor[]): Contributor[] {
  return [...new Map(contributors.map((each) => [`${each.as} ${each.userId}`, each])).values()];
}

/** Addresses of all `Co-authored-by:` lines, wherever in the message they stand: git reads them only at its end, people do not. */
function coauthorEmails(message: string): (string | null)[] {
  return [...message.matchAll(/^[ \t]*co-authored-by[ \t]*:(.*)$/gim)].map(
    ([, rest]) => /<([^<>\s]+)>/.exec(rest ?? '')?.[1] ?? null,
  );
}

/** `123+login@users.noreply.github.com`, `123-login@users.noreply.gitlab.com`; the host compared exactly. */
function noReplyId(email: string, host: string): string | null {
  const at = email.lastIndexOf('@');
  if (email.slice(at + 1).toLowerCase() !== host) return null;
  return /^([1-9]\d{0,18})[+-][^@]+$/.exec(email.slice(0, at))?.[1] ?? null;
}
