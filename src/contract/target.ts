import * as z from '../lib/zod.ts';
import { name } from './primitives.ts';

const workload = { namespace: name, kind: name, name };

/** One workload: in a cluster (for GitOps the cluster that the repository feeds), or on a host. */
export const target = z.union([
  z.strictObject({ cluster: name, ...workload }),
  z.strictObject({ host: name, ...workload }),
]);
export type Target = z.infer<typeof target>;

const manifests = z.optional(
  z.strictObject({
    repository: z
      .string()
      .check(
        z.maxLength(2048),
        z.regex(
          /^(https:\/\/|http:\/\/127\.0\.0\.1[:/]|file:\/\/\/)[^\s@?#]+$/,
          'expected an https URL without user, query or fragment (http only on 127.0.0.1, file:/// only in profile local)',
        ),
        z.describe('address of the repository that the cluster follows, as it is cloned'),
      ),
    branch: name,
  }),
);

/** What a contract allows: a target, where a left out `kind` or `name` means any in that namespace. */
const anyOf = { namespace: name, kind: z.optional(name), name: z.optional(name), manifests };
export const targetPattern = z.union([
  z.strictObject({ cluster: name, ...anyOf }),
  z.strictObject({ host: name, ...anyOf }),
]);
export type TargetPattern = z.infer<typeof targetPattern>;

/** Name of the cluster or host that a target, or a pattern, is on. */
export function clusterOrHost(on: Target | TargetPattern): string {
  return 'cluster' in on ? on.cluster : on.host;
}

/** Whether a pattern of the contract is about this target. */
export function isAbout({ manifests: _, ...pattern }: TargetPattern, target: Target): boolean {
  return Object.entries(pattern).every(([part, value]) => target[part as keyof Target] === value);
}
