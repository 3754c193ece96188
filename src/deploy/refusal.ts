import type { Reason } from '../contract/decision.ts';
import { citationsOfRule } from '../contract/gate-rules.ts';
import { Denied } from '../lib/errors.ts';

const fixes = {
  'deploy.admission':
    'change the manifest so that the cluster’s own rules admit it, or have its administrators change them',
  'deploy.cluster':
    'find out who answers at this address; if the cluster has a new certificate, the platform team changes clusters in contract.yml',
  'deploy.decision':
    'ask for a decision of stage deploy in this run, for this image, environment and target, and deploy within its lifetime',
  'deploy.once': 'ask for a new decision: each allows one deploy',
  'deploy.digest': 'name the image by digest, registry/repository@sha256:…, in the manifest',
  'deploy.images': 'remove the image from the manifest, or have it built, judged and decided on as well',
  'deploy.target':
    'name the manifest of the target that was decided on, in the repository and branch that contract.yml gives it, or else in the commit of the run',
} as const;

/** A deploy that is refused by exactly one rule, before anything was changed. */
export class DeployRefused extends Denied {
  readonly reason: Reason;

  constructor(rule: keyof typeof fixes, message: string, evidence: string[] = []) {
    super(rule, message);
    this.reason = { rule, outcome: 'fail', message, fix: fixes[rule], controls: citationsOfRule(rule), evidence };
  }
}
