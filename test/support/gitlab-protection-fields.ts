/*
 * Which fields GitLab's answers about protection have, and which a request to set it may carry. GitLab publishes no description
 * of its REST API in a package registry: these names were taken from its own documentation (doc/api of gitlab-org/gitlab:
 * projects.md, protected_branches.md, protected_tags.md, merge_request_approvals.md, project_push_rules.md,
 * protected_environments.md, project_job_token_scopes.md, runners.md). No live GitLab was asked.
 */

const accessLevel = ['id', 'access_level', 'access_level_description', 'user_id', 'group_id', 'deploy_key_id'];

/** By entity. */
export const ANSWERS = {
  project: [
    'id',
    'path_with_namespace',
    'default_branch',
    'ci_config_path',
    'ci_pipeline_variables_minimum_override_role',
    'only_allow_merge_if_pipeline_succeeds',
    'allow_pipeline_trigger_approve_deployment',
  ],
  accessLevel: [...accessLevel, 'group_inheritance_type'],
  protectedBranch: [
    'id',
    'name',
    'push_access_levels',
    'merge_access_levels',
    'allow_force_push',
    'code_owner_approval_required',
    'inherited',
  ],
  protectedTag: ['name', 'create_access_levels'],
  approvalRule: [
    'id',
    'name',
    'rule_type',
    'approvals_required',
    'applies_to_all_protected_branches',
    'protected_branches',
    'eligible_approvers',
    'users',
    'groups',
    'contains_hidden_groups',
  ],
  approvals: [
    'approvals_before_merge',
    'reset_approvals_on_push',
    'disable_overriding_approvers_per_merge_request',
    'merge_requests_author_approval',
    'merge_requests_disable_committers_approval',
    'require_password_to_approve',
    'require_reauthentication_to_approve',
    'selective_code_owner_removals',
  ],
  pushRule: ['id', 'project_id', 'created_at', 'commit_committer_check', 'member_check', 'reject_unsigned_commits'],
  protectedEnvironment: ['name', 'deploy_access_levels', 'required_approval_count', 'approval_rules'],
  environmentApprovalRule: [...accessLevel, 'required_approvals', 'group_inheritance_type'],
  jobTokenScope: ['inbound_enabled', 'outbound_enabled'],
  allowedProject: ['id', 'name', 'path', 'path_with_namespace', 'default_branch', 'web_url'],
  runner: [
    'id',
    'description',
    'active',
    'paused',
    'is_shared',
    'runner_type',
    'name',
    'online',
    'status',
    'tag_list',
    'run_untagged',
    'locked',
    'maximum_timeout',
    'access_level',
    'projects',
    'groups',
  ],
} as const;

/** By method and path below `/api/v4`; a list of objects names the keys of its objects as `list[].key`. */
export const REQUESTS: Record<string, readonly string[]> = {
  'PUT /projects/:id': [
    'ci_config_path',
    'ci_pipeline_variables_minimum_override_role',
    'only_allow_merge_if_pipeline_succeeds',
    'allow_pipeline_trigger_approve_deployment',
    'ci_push_repository_for_job_token_allowed',
  ],
  'POST /projects/:id/protected_branches': [
    'name',
    'push_access_level',
    'merge_access_level',
    'unprotect_access_level',
    'allow_force_push',
    'code_owner_approval_required',
  ],
  'DELETE /projects/:id/protected_branches/:name': [],
  'POST /projects/:id/protected_tags': ['name', 'create_access_level'],
  'POST /projects/:id/approval_rules': [
    'name',
    'approvals_required',
    'applies_to_all_protected_branches',
    'group_ids',
    'user_ids',
    'protected_branch_ids',
    'rule_type',
  ],
  'POST /projects/:id/approvals': [
    'reset_approvals_on_push',
    'disable_overriding_approvers_per_merge_request',
    'merge_requests_author_approval',
    'merge_requests_disable_committers_approval',
  ],
  'POST /projects/:id/push_rule': ['commit_committer_check', 'member_check', 'reject_unsigned_commits'],
  'POST /projects/:id/protected_environments': [
    'name',
    'deploy_access_levels[].access_level',
    'deploy_access_levels[].user_id',
    'deploy_access_levels[].group_id',
    'approval_rules[].access_level',
    'approval_rules[].user_id',
    'approval_rules[].group_id',
    'approval_rules[].required_approvals',
  ],
  'PATCH /projects/:id/job_token_scope': ['enabled'],
  'POST /projects/:id/job_token_scope/allowlist': ['target_project_id'],
  'PUT /runners/:id': [
    'description',
    'paused',
    'tag_list',
    'run_untagged',
    'locked',
    'access_level',
    'maximum_timeout',
  ],
};

/** The object, when every field of it is one that GitLab's entity has. */
export function answerOf<T extends object>(kind: keyof typeof ANSWERS, fields: T): T {
  const known: readonly string[] = ANSWERS[kind];
  const strange = Object.keys(fields).filter((field) => !known.includes(field));
  if (strange.length > 0) throw new Error(`GitLab's ${kind} has no ${strange.join(', ')}`);
  return fields;
}
