import { CouldNot } from '../../lib/errors.ts';
import type { Source } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { issueEvents, type Pull, reviews as reviewList } from './replies.ts';

const NEED = 'permission pull-requests: read';

const STATES = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
} as const;

/**
 * The reviews of a merged pull request. An approval is of what its reviewer saw, the difference between two commits: one of
 * another commit than the request's last is a comment, and so is one given before the request got its last base.
 */
export async function reviewsOf(api: GithubApi, { number, head }: Pull): Promise<Source['reviews']> {
  const what = `read the reviews of pull request ${number}`;
  const all = await api.list({ path: `/pulls/${number}/reviews`, schema: reviewList, what, need: NEED });
  const based = await lastBaseChange(api, number);
  return all.flatMap(({ user, state, submitted_at: at, commit_id: seen }) => {
    if (state === 'PENDING') return [];
    if (at === undefined) throw new CouldNot('platform.reply', `could not ${what}: one of them has no time`);
    const userId = user === null ? null : String(user.id);
    const isOfThis = seen === head.sha && (based === null || at > based);
    return [{ userId, state: state === 'APPROVED' && !isOfThis ? ('commented' as const) : STATES[state], at }];
  });
}

/**
 * Events by which a request gets another base, or its base another history (GitHub docs, "Issue event types"). Of a request that
 * was closed for a while nobody says what became of its base.
 */
const BASE = /^(base_ref_|automatic_base_change_|reopened$)/;

/**
 * When a merged pull request last got another base; null where it never did. The events must reach as far as the merge, or
 * they are not all; later ones do not touch what was merged.
 */
async function lastBaseChange(api: GithubApi, number: number): Promise<string | null> {
  const what = `read the events of pull request ${number}`;
  const all = await api.list({ path: `/issues/${number}/events`, schema: issueEvents, what, need: NEED });
  const merged = all.find(({ event }) => event === 'merged');
  if (merged === undefined)
    throw new CouldNot('platform.incomplete', `could not ${what}: its merge is not among them; run again`);
  const changes = all.filter(({ event, created_at: at }) => BASE.test(event) && at <= merged.created_at);
  const times = changes.map(({ created_at: at }) => at).sort();
  return times.at(-1) ?? null;
}
