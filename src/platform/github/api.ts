import type { Http } from '../../lib/http.ts';
import type * as z from '../../lib/zod.ts';
import { createRest, type Question, type Rest } from '../rest.ts';

export interface GithubAccess {
  http: Http;
  /** Base address of the REST API, from the contract. */
  api: string;
  /** A token that may read actions, contents and pull requests of the repository. */
  token: string;
  sleep(milliseconds: number): Promise<void>;
}

export type GithubApi = Pick<Rest, 'get' | 'list'>;

/** GitHub's REST API, asked about one repository: paths begin behind `/repos/<owner>/<name>`. */
export function githubApi({ http, api, token, sleep }: GithubAccess, repository: string): GithubApi {
  const rest = createRest({
    http,
    base: api,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'x-github-api-version': '2022-11-28',
    },
    sleep,
  });
  const [owner = '', name = ''] = repository.split('/');
  const within = <S extends z.ZodMiniType>(question: Question<S>): Question<S> => ({
    ...question,
    path: `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}${question.path}`,
  });
  return {
    get: (question) => rest.get(within(question)),
    list: (question) => rest.list(within(question)),
  };
}
