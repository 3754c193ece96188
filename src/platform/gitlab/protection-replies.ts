import * as z from '../../lib/zod.ts';

/*
 * What is read of GitLab's answers about protection (REST API v4). Unknown keys pass. What only some tiers, roles or versions
 * are shown is optional.
 */

export const project = z.looseObject({
  id: z.int(),
  path_with_namespace: z.string(),
  default_branch: z.string(),
  ci_config_path: z.nullish(z.string()),
  ci_pipeline_variables_minimum_override_role: z.optional(z.string()),
  only_allow_merge_if_pipeline_succeeds: z.optional(z.boolean()),
  allow_pipeline_trigger_approve_deployment: z.optional(z.boolean()),
});

/** One who may: a role by its level, or one user, group or deploy key. */
export const access = z.looseObject({
  access_level: z.nullable(z.int()),
  user_id: z.nullish(z.int()),
  group_id: z.nullish(z.int()),
  deploy_key_id: z.nullish(z.int()),
});
export type Access = z.infer<typeof access>;

/** "No one", the level that lets not even administrators. */
export function isNobody({ access_level: level, user_id: user, group_id: group, deploy_key_id: key }: Access): boolean {
  return level === 0 && user == null && group == null && key == null;
}

/** Whether a rule is about a branch: in a rule's name `*` stands for anything, slashes too. */
export function covers(rule: string, branch: string): boolean {
  const parts = rule.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(branch);
}

export const protectedBranches = z.array(
  z.looseObject({
    name: z.string(),
    push_access_levels: z.array(access),
    allow_force_push: z.boolean(),
    code_owner_approval_required: z.optional(z.boolean()),
  }),
);

export const protectedTags = z.array(z.looseObject({ name: z.string(), create_access_levels: z.array(access) }));

export const approvalRules = z.array(
  z.looseObject({
    name: z.string(),
    approvals_required: z.int(),
    applies_to_all_protected_branches: z.optional(z.boolean()),
    protected_branches: z.optional(z.array(z.looseObject({ name: z.string() }))),
  }),
);

export const approvalSettings = z.looseObject({
  merge_requests_author_approval: z.optional(z.boolean()),
  merge_requests_disable_committers_approval: z.optional(z.boolean()),
  reset_approvals_on_push: z.optional(z.boolean()),
  disable_overriding_approvers_per_merge_request: z.optional(z.boolean()),
});

/** Null where none is set; what is off is null too. */
export const pushRule = z.nullable(z.looseObject({ commit_committer_check: z.nullish(z.boolean()) }));

export const protectedEnvironments = z.array(
  z.looseObject({
    name: z.string(),
    deploy_access_levels: z.array(access),
    required_approval_count: z.nullish(z.int()),
    approval_rules: z.optional(z.array(z.looseObject({ required_approvals: z.int() }))),
  }),
);

export const jobTokenScope = z.looseObject({ inbound_enabled: z.boolean() });
export const jobTokenAllowlist = z.array(z.looseObject({ path_with_namespace: z.string() }));

export const runner = z.looseObject({
  id: z.int(),
  runner_type: z.string(),
  access_level: z.string(),
  locked: z.optional(z.boolean()),
  run_untagged: z.boolean(),
  projects: z.optional(z.array(z.looseObject({ id: z.int(), path_with_namespace: z.string() }))),
});
