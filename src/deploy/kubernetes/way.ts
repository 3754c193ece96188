import type { Target } from '../../contract/target.ts';
import { BadInput } from '../../lib/errors.ts';
import type { Way } from '../way.ts';
import { applyPlan } from './act.ts';
import type { Place } from './api.ts';
import type { Manifest } from './judged-manifest.ts';
import type { Workload } from './objects.ts';
import { observeWorkload, type Watch } from './observe.ts';
import { type KubernetesPlan, planWorkload } from './plan.ts';

export interface KubernetesDeploy extends Watch {
  manifest: Manifest;
  target: Target;
}

/**
 * Deploying straight to a cluster: the one workload of the decision’s target, by server-side apply. The plan is tried out by a
 * dry run, so that a manifest that the cluster refuses uses no decision up, and so that what will be stored is known before:
 * afterwards the very same must be there, must have rolled out, and must be what the pods run.
 */
export function kubernetesWay(deploy: KubernetesDeploy): Way<KubernetesPlan, Workload> {
  const place = placeOf(deploy.target);
  return {
    plan: () => planWorkload(deploy.api, place, deploy),
    act: (planned) => applyPlan(deploy.api, place, planned),
    observe: (planned, applied) => observeWorkload(deploy, place, planned, applied),
  };
}

function placeOf(target: Target): Place {
  if (!('cluster' in target)) throw new BadInput('kubernetes.cluster', 'the target is a host, not a cluster');
  const { kind, namespace, name } = target;
  return { kind, namespace, name };
}
