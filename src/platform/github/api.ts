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

export interface GithubApi extends Pick<Rest, 'get' | 'find' | 'list' | 'linked'> {
  /** The same asked about another repository, `<owner>/<name>`. */
  of(repository: string): GithubApi;
}

/** GitHub's REST API, asked about one repository: paths begin behind `/repos/<owner>/<name>`. */
export function githubApi(access: GithubAccess, repository: string): GithubApi {
  const [owner = '', name = ''] = repository.split('/');
  return githubApiAt(access, `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`);
}

/** The same asked about an organization: paths begin behind `/orgs/<name>`. */
export function githubOrganizationApi(access: GithubAccess, organization: string): GithubApi {
  return githubApiAt(access, `/orgs/${encodeURIComponent(organization)}`);
}

function githubApiAt(access: GithubAccess, prefix: string): GithubApi {
  const { http, api, token, sleep } = access;
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
  const within = <S extends z.ZodMiniType>(question: Question<S>): Question<S> => ({
    ...question,
    path: `${prefix}${question.path}`,
  });
  return {
    get: (question) => rest.get(within(question)),
    find: (question) => rest.find(within(question)),
    list: (question) => rest.list(within(question)),
    linked: (question) => rest.linked(within(question)),
    of: (repository) => githubApi(access, repository),
  };
}
