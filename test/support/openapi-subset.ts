/*
 * Cuts out of GitHub's published OpenAPI description what the fake GitHub is checked against:
 *
 *   npm pack @octokit/openapi@23.0.2 && tar -xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
 *   node test/support/openapi-subset.ts package/generated/api.github.com.json > test/fixtures/github/openapi.json
 *
 * The whole is 13 MB (400 MB unpacked with its siblings), which is why it is no dependency. OpenAPI 3.0 schemas become plain
 * JSON Schema: `nullable` turns into a choice with null, texts for people are left out.
 */
import { readFileSync } from 'node:fs';

type Json = { [key: string]: unknown };

const PATHS = [
  '/repos/{owner}/{repo}',
  '/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}',
  '/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs',
  '/repos/{owner}/{repo}/actions/runs/{run_id}/approvals',
  '/repos/{owner}/{repo}/actions/jobs/{job_id}',
  '/repos/{owner}/{repo}/branches/{branch}',
  '/repos/{owner}/{repo}/rules/branches/{branch}',
  '/repos/{owner}/{repo}/compare/{basehead}',
  '/repos/{owner}/{repo}/activity',
  '/repos/{owner}/{repo}/commits/{ref}',
  '/repos/{owner}/{repo}/commits/{commit_sha}/pulls',
  '/repos/{owner}/{repo}/pulls/{pull_number}',
  '/repos/{owner}/{repo}/pulls/{pull_number}/reviews',
  '/repos/{owner}/{repo}/issues/{issue_number}/events',
  '/repos/{owner}/{repo}/rulesets',
  '/repos/{owner}/{repo}/rulesets/{ruleset_id}',
  '/repos/{owner}/{repo}/branches/{branch}/protection',
  '/repos/{owner}/{repo}/codeowners/errors',
  '/repos/{owner}/{repo}/contents/{path}',
  '/repos/{owner}/{repo}/releases',
  '/repos/{owner}/{repo}/actions/permissions',
  '/repos/{owner}/{repo}/actions/permissions/workflow',
  '/repos/{owner}/{repo}/environments',
  '/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies',
  '/orgs/{org}/actions/runner-groups',
];
/** What docs/fork.md tells people to send: the body is kept, null where there is none. */
const REQUESTS = [
  'GET /repos/{owner}/{repo}',
  'GET /orgs/{org}/teams/{team_slug}',
  'POST /repos/{owner}/{repo}/rulesets',
  'POST /repos/{owner}/{repo}/releases',
  'PUT /repos/{owner}/{repo}/immutable-releases',
  'PUT /repos/{owner}/{repo}/actions/permissions',
  'PUT /repos/{owner}/{repo}/actions/permissions/access',
  'PUT /repos/{owner}/{repo}/actions/permissions/selected-actions',
  'PUT /repos/{owner}/{repo}/actions/permissions/workflow',
  'PUT /repos/{owner}/{repo}/environments/{environment_name}',
  'POST /repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies',
  'POST /orgs/{org}/actions/runner-groups',
  'GET /orgs/{org}/actions/runner-groups',
  'PATCH /orgs/{org}/actions/runner-groups/{runner_group_id}',
  'POST /repos/{owner}/{repo}/pulls',
  'PUT /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}',
  'PUT /repos/{owner}/{repo}/actions/oidc/customization/sub',
  'POST /repos/{owner}/{repo}/environments/{environment_name}/variables',
];
const FOR_PEOPLE = ['description', 'example', 'examples', 'title', 'externalDocs', 'x-github', 'deprecated'];

const document = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Json;
const schemas: Json = {};

const paths = Object.fromEntries(PATHS.map((path) => [path, operation(at(document, ['paths', path, 'get']))]));
const { license, version } = document.info as Json;
const requests = Object.fromEntries(
  REQUESTS.map((request) => {
    const [method = '', path = ''] = request.split(' ');
    const { requestBody } = at(document, ['paths', path, method.toLowerCase()]);
    const body = requestBody === undefined ? null : at(requestBody as Json, ['content', 'application/json', 'schema']);
    return [request, body === null ? null : plain(body)];
  }),
);
process.stdout.write(
  `${JSON.stringify({ source: 'https://github.com/octokit/openapi (api.github.com.json)', version, license, paths, requests, schemas })}\n`,
);

function operation(get: Json) {
  const content = at(get, ['responses', '200', 'content', 'application/json']);
  const [example] = Object.values((content.examples ?? {}) as Json) as Json[];
  return {
    parameters: ((get.parameters ?? []) as Json[]).map((each) => {
      const { name, in: where, required, schema } = resolved(each);
      return { name, in: where, required: required === true, schema: plain(schema) };
    }),
    reply: plain(content.schema),
    example: example === undefined ? null : resolved(example).value,
  };
}

/** A schema with its references kept (and what they name gathered), `nullable` written out. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { nullable, $ref, ...rest } = schema as Json;
  if (typeof $ref === 'string') {
    gather($ref);
    return { $ref: `#/schemas/${$ref.split('/').at(-1)}` };
  }
  const kept = Object.entries(rest).filter(([key, value]) => !(FOR_PEOPLE.includes(key) && !isProperties(value)));
  const body = Object.fromEntries(kept.map(([key, value]) => [key, key === 'enum' ? value : plain(value)]));
  return nullable === true ? { anyOf: [body, { type: 'null' }] } : body;
}

/** A property may bear the name of a keyword: then its value is a schema. */
function isProperties(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('type' in value || '$ref' in value);
}

function gather(reference: string): void {
  const name = reference.split('/').at(-1) ?? '';
  if (name in schemas) return;
  schemas[name] = {};
  schemas[name] = plain(at(document, reference.slice(2).split('/')));
}

function resolved(value: Json): Json {
  return typeof value.$ref === 'string' ? at(document, value.$ref.slice(2).split('/')) : value;
}

function at(from: Json, path: string[]): Json {
  return path.reduce<Json>((value, key) => value[key] as Json, from);
}
