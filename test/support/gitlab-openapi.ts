import { readFileSync } from 'node:fs';
import type { Reply, TestServer } from './json-server.ts';
import { type Description, fitting, heldAgainst, type Schema } from './openapi.ts';

/*
 * GitLab's published description of its REST API; test/fixtures/gitlab/openapi.json keeps what is asked, and says where it is
 * from. It is generated out of the API's sources (lib/api/entities) and falls short of them in the three ways below. Each place
 * where an answer needs more is named here, as GitLab's documentation (doc/api) or those sources have it; anything else that
 * differs fails.
 */

/** It has no null. */
const NULLABLE = [
  'CiJob.started_at',
  'CiJob.finished_at',
  'CiJob.user',
  'CiJob.runner',
  'CiBridge.downstream_pipeline',
  'CiLintResult.merged_yaml',
  'MergeRequest.merge_commit_sha',
  'MergeRequest.squash_commit_sha',
  'MergeRequest.author',
  'MergeRequest.merge_user',
  'MergeRequestBasic.merge_commit_sha',
  'MergeRequestBasic.squash_commit_sha',
  'MergeRequestBasic.author',
  'MergeRequestBasic.merge_user',
  'MergeRequest.source_project_id',
  'MergeRequestBasic.source_project_id',
  'ResourceStateEvent.source_commit',
  'ResourceStateEvent.source_merge_request_id',
  'ProtectedRefAccess.access_level',
  'ProtectedEnvironmentsApprovalRule.access_level',
  'ProtectedEnvironmentsApprovalRuleForSummary.user_id',
  'ProtectedEnvironmentsApprovalRuleForSummary.access_level',
  'ProjectPushRule.commit_committer_check',
];
/** It has a list of entities as one of them. */
const LISTS = [
  'CiRunnerDetails.projects',
  'MergeRequestApprovals.approved_by',
  'DeploymentExtended.approvals',
  'DeploymentsApprovalSummary.rules',
  'ProtectedEnvironmentsApprovalRuleForSummary.deployment_approvals',
  'ProtectedEnvironment.deploy_access_levels',
  'ProtectedEnvironment.approval_rules',
  'ProtectedTag.create_access_levels',
  'ProjectApprovalRule.protected_branches',
];
/** It has `string` where the sources name no type. */
const TYPES: Record<string, Schema> = {
  'CiRunnerDetails.tag_list': { type: 'array', items: { type: 'string' } },
  'CiRunnerDetails.run_untagged': { type: 'boolean' },
  'CiRunnerDetails.locked': { type: 'boolean' },
  'MergeRequestDiff.id': { type: 'integer' },
  'MergeRequest.source_project_id': { type: 'integer' },
  'MergeRequestBasic.source_project_id': { type: 'integer' },
  'ProjectApprovalRule.applies_to_all_protected_branches': { type: 'boolean' },
  'ApprovalSettings.reset_approvals_on_push': { type: 'boolean' },
  'ApprovalSettings.disable_overriding_approvers_per_merge_request': { type: 'boolean' },
  'ApprovalSettings.merge_requests_author_approval': { type: 'boolean' },
  'ApprovalSettings.merge_requests_disable_committers_approval': { type: 'boolean' },
  'ProtectedEnvironmentsApprovalRule.id': { type: 'integer' },
  'ProtectedEnvironmentsApprovalRule.group_id': { type: 'integer' },
  'ProtectedEnvironmentsApprovalRule.required_approvals': { type: 'integer' },
  'ProtectedEnvironmentsApprovalRuleForSummary.group_id': { type: 'integer' },
  'ProtectedEnvironmentsApprovalRuleForSummary.required_approvals': { type: 'integer' },
};
/** Where nothing is set, the whole answer is null. */
const NULL_ANSWERS = ['/api/v4/projects/{id}/push_rule'];

interface Operation {
  parameters: { name: string; required: boolean; schema: Schema }[];
  /** Null for a file. */
  reply: Schema | null;
}
const text = readFileSync('test/fixtures/gitlab/openapi.json', 'utf8');
const file: Description & { paths: Record<string, Operation> } = JSON.parse(text, understood);
// What no fake answers is not kept: nothing fits a reference to it.
for (const [, name = ''] of text.matchAll(/"#\/schemas\/(\w+)"/g)) file.schemas[name] ??= false;
for (const at of LISTS)
  amend(
    at,
    ({ $ref }) => $ref !== undefined,
    (one) => ({ type: 'array', items: one }),
  );
for (const [at, type] of Object.entries(TYPES))
  amend(
    at,
    ({ type: old }) => old === 'string',
    () => type,
  );
for (const at of NULLABLE)
  amend(
    at,
    () => true,
    (known) => ({ anyOf: [known, { type: 'null' }] }),
  );
const { demand, unnamed, checkRequest } = heldAgainst('GitLab', file);

export { checkRequest };

/** Answers as asked, and keeps what is wrong with the exchange. */
export function heldTo(violations: string[], answer: () => Reply): Reply {
  try {
    return answer();
  } catch (error) {
    violations.push((error as Error).message);
    throw error;
  }
}

export async function closeHeld(server: TestServer, violations: readonly string[]): Promise<void> {
  await server.close();
  if (violations.length > 0)
    throw new Error(`GitLab was asked or answered wrongly: ${[...new Set(violations)].join('; ')}`);
}

/**
 * Holds a question and its answer against the description: nothing but a GET is asked, the path must be one of it, each query parameter named in it and fit
 * its schema, none that it requires be missing, and the answer fit the schema of a 200 and have no other keys. Throws what does
 * not fit. Without an answer, as where it is a 404 or a file, the question alone.
 */
export function checkExchange(method: string, path: string, query: URLSearchParams, answer?: unknown): void {
  if (method !== 'GET') throw new Error(`${method} ${path} would change something`);
  const template = templateOf(path);
  const { parameters, reply } = file.paths[template] as Operation;
  const given = [...query].map(([name, value]) => {
    // A parameter that takes several is a choice in the description, and `name[]` in a question.
    const known = parameters.find((each) => name === (each.schema.oneOf === undefined ? each.name : `${each.name}[]`));
    if (known === undefined) throw new Error(`${template} has no query parameter ${name}`);
    demand(known.schema, known.schema.type === 'string' ? value : parsedValue(value), `${template}?${name}`);
    return known;
  });
  for (const each of parameters)
    if (each.required && !given.includes(each)) throw new Error(`${template} requires query parameter ${each.name}`);
  if (answer === undefined || (answer === null && NULL_ANSWERS.includes(template))) return;
  if (reply === null) throw new Error(`the answer of ${template} is a file`);
  // A list's schema is that of one entry: what comes in pages is a list.
  const isList = parameters.some(({ name }) => name === 'page');
  const entries = isList && Array.isArray(answer) ? answer : [answer];
  if (isList && !Array.isArray(answer)) throw new Error(`the answer of ${template} is a list`);
  for (const each of entries) {
    demand(reply, each, `the answer of ${template}`);
    const keys = unnamed(reply, each);
    if (keys.length > 0) throw new Error(`the answer of ${template} has no ${keys.join(', ')}`);
  }
}

/** The description's path that a real one is. */
export function templateOf(path: string): string {
  return fitting(path, Object.keys(file.paths));
}

/** Keys of a value that an answer of this path does not have; of a list, those of an entry. */
export function strangeKeys(template: string, value: unknown): string[] {
  return unnamed(file.paths[template]?.reply, value);
}

/** The description's words for types as JSON Schema's; a type that is none, such as a Ruby class, fits nothing. */
function understood(_key: string, value: Schema): Schema {
  if (typeof value?.type !== 'string') return value;
  const { type } = value;
  if (type === 'Boolean') return { ...value, type: 'boolean' };
  if (type === 'DateTime' || type === 'date-time')
    return { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$' };
  return ['string', 'integer', 'number', 'boolean', 'object', 'array'].includes(type) ? value : false;
}

function amend(at: string, expected: (known: Schema) => boolean, change: (known: Schema) => Schema): void {
  const [entity = '', property = ''] = at.split('.');
  const properties = file.schemas[`APIEntities${entity}`]?.properties;
  const known = properties?.[property];
  if (known === undefined || !expected(known)) throw new Error(`the description has no ${at} to amend so`);
  properties[property] = change(known);
}

function parsedValue(value: string): unknown {
  return /^(\d+|true|false)$/.test(value) ? JSON.parse(value) : value;
}
