import * as z from '../lib/zod.ts';
import { name } from './primitives.ts';

const workload = { namespace: name, kind: name, name };

/** One workload: in a cluster (for GitOps the cluster that the repository feeds), or on a host. */
export const target = z.union([
  z.strictObject({ cluster: name, ...workload }),
  z.strictObject({ host: name, ...workload }),
]);
export type Target = z.infer<typeof target>;

/** What a contract allows: a target, where a left out `kind` or `name` means any in that namespace. */
const anyOf = { namespace: name, kind: z.optional(name), name: z.optional(name) };
export const targetPattern = z.union([
  z.strictObject({ cluster: name, ...anyOf }),
  z.strictObject({ host: name, ...anyOf }),
]);
