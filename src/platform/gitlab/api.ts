import type { Http } from '../../lib/http.ts';
import type * as z from '../../lib/zod.ts';
import { createRest, type Question, type Rest } from '../rest.ts';

export interface GitlabAccess {
  http: Http;
  /** Base address of the REST API, from the contract, for example `https://gitlab.com/api/v4`. */
  api: string;
  /** A job's own token answers few of the questions; the rest take a project access token with `read_api`. */
  token: { kind: 'JOB-TOKEN' | 'PRIVATE-TOKEN'; value: string };
  sleep(milliseconds: number): Promise<void>;
}

export interface GitlabApi extends Pick<Rest, 'get' | 'find' | 'list' | 'pages' | 'download'> {
  /** The same API, asked about another project. */
  of(projectId: string): GitlabApi;
  /** Asks GraphQL, which alone knows the accounts behind commits. */
  query<S extends z.ZodMiniType>(
    question: Omit<Question<S>, 'path'> & { query: string; variables: Record<string, string | null> },
  ): Promise<z.infer<S>>;
}

/** What the token needs, as messages say it. */
export const NEED = 'scope read_api and role Reporter';

/** GitLab's API as a whole: what belongs to no project, such as runners. */
export function gitlabRest({ http, api, token, sleep }: GitlabAccess): Rest {
  return createRest({ http, base: api, headers: { [token.kind]: token.value }, sleep });
}

/** GitLab's API, asked about one project by its number or whole path: paths begin behind `/projects/<id>`. */
export function gitlabApi(access: GitlabAccess, projectId: string): GitlabApi {
  const rest = gitlabRest(access);
  const within = <Q extends { path: string }>(question: Q): Q => ({
    ...question,
    path: `/projects/${encodeURIComponent(projectId)}${question.path}`,
  });
  return {
    of: (other) => gitlabApi(access, other),
    download: (question) => rest.download(within(question)),
    get: (question) => rest.get(within(question)),
    find: (question) => rest.find(within(question)),
    pages: (question) => rest.pages(within(question)),
    list: (question) => rest.list(within(question)),
    query: ({ query, variables, ...question }) =>
      rest.post({
        ...question,
        path: '',
        url: access.api.replace(/\/v4\/*$/, '/graphql'),
        body: { query, variables },
      }),
  };
}
