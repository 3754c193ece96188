import * as z from '../../../lib/zod.ts';

/*
 * What is read of GitHub's answers about protection (REST API description 2022-11-28). Unknown keys pass. `can_admins_bypass`
 * is in its answers and not in its description.
 */

export const repository = z.looseObject({ full_name: z.string(), default_branch: z.string() });

export const branch = z.looseObject({ name: z.string(), protected: z.boolean() });

export const branchRules = z.array(
  z.looseObject({
    type: z.string(),
    ruleset_id: z.optional(z.int()),
    parameters: z.nullish(
      z.looseObject({
        required_approving_review_count: z.optional(z.int()),
        require_code_owner_review: z.optional(z.boolean()),
      }),
    ),
  }),
);
export type BranchRules = z.infer<typeof branchRules>;

const bypassActor = z.looseObject({
  actor_id: z.nullish(z.int()),
  actor_type: z.string(),
  bypass_mode: z.optional(z.string()),
});
export const ruleset = z.looseObject({
  id: z.int(),
  name: z.string(),
  target: z.optional(z.string()),
  enforcement: z.string(),
  /** Only those who may edit the ruleset are shown them. */
  bypass_actors: z.optional(z.array(bypassActor)),
  conditions: z.nullish(
    z.looseObject({
      ref_name: z.optional(
        z.looseObject({ include: z.optional(z.array(z.string())), exclude: z.optional(z.array(z.string())) }),
      ),
    }),
  ),
  rules: z.optional(z.array(z.looseObject({ type: z.string() }))),
});
export type Ruleset = z.infer<typeof ruleset>;
export const rulesets = z.array(
  z.looseObject({ id: z.int(), target: z.optional(z.string()), enforcement: z.string() }),
);

const enabled = z.optional(z.looseObject({ enabled: z.optional(z.boolean()) }));
const names = z.optional(z.array(z.looseObject({ login: z.optional(z.string()), slug: z.optional(z.string()) })));
export const branchProtection = z.looseObject({
  enforce_admins: enabled,
  allow_force_pushes: enabled,
  allow_deletions: enabled,
  required_pull_request_reviews: z.optional(
    z.looseObject({
      required_approving_review_count: z.optional(z.int()),
      require_code_owner_reviews: z.boolean(),
      bypass_pull_request_allowances: z.optional(z.looseObject({ users: names, teams: names, apps: names })),
    }),
  ),
});
export type BranchProtection = z.infer<typeof branchProtection>;

export const codeownersErrors = z.looseObject({
  errors: z.array(z.looseObject({ line: z.int(), kind: z.string(), path: z.string() })),
});

export const content = z.union([z.looseObject({ type: z.string() }), z.array(z.looseObject({}))]);
export const commitOfRef = z.looseObject({ sha: z.string() });

export const releases = z.array(z.looseObject({ tag_name: z.string(), immutable: z.optional(z.boolean()) }));

export const workflowPermissions = z.looseObject({
  default_workflow_permissions: z.string(),
  can_approve_pull_request_reviews: z.boolean(),
});
export const actionsPermissions = z.looseObject({
  enabled: z.boolean(),
  allowed_actions: z.optional(z.string()),
  sha_pinning_required: z.optional(z.boolean()),
});

export const environments = z.pipe(
  z.looseObject({
    environments: z.array(
      z.looseObject({
        name: z.string(),
        can_admins_bypass: z.optional(z.boolean()),
        protection_rules: z.optional(
          z.array(
            z.looseObject({
              type: z.string(),
              prevent_self_review: z.optional(z.boolean()),
              reviewers: z.optional(
                z.array(
                  z.looseObject({
                    type: z.string(),
                    reviewer: z.looseObject({
                      login: z.optional(z.string()),
                      slug: z.optional(z.string()),
                    }),
                  }),
                ),
              ),
            }),
          ),
        ),
        deployment_branch_policy: z.nullish(
          z.looseObject({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() }),
        ),
      }),
    ),
  }),
  z.transform(({ environments: page }) => page),
);
export const branchPolicies = z.pipe(
  z.looseObject({
    branch_policies: z.array(z.looseObject({ name: z.string(), type: z.optional(z.string()) })),
  }),
  z.transform(({ branch_policies: page }) => page),
);

export const runnerGroups = z.pipe(
  z.looseObject({
    runner_groups: z.array(
      z.looseObject({
        name: z.string(),
        allows_public_repositories: z.boolean(),
        restricted_to_workflows: z.optional(z.boolean()),
        selected_workflows: z.optional(z.array(z.string())),
      }),
    ),
  }),
  z.transform(({ runner_groups: page }) => page),
);
