import type { Target } from '../contract/target.ts';
import type { Image } from './gitops.ts';
import { readManifest, type Workload } from './pod-images.ts';
import { DeployRefused } from './refusal.ts';

const BY_DIGEST = /^([^@\s]+)@(sha256:[0-9a-f]{64})$/;

/** A plain manifest with the image at this digest. Every image in it must be this one, by digest already: a tag is refused, not mended. */
export function changeManifest(
  bytes: Buffer,
  file: string,
  image: Image,
  target: Target,
): { text: string; previousDigest: string | null } {
  const manifest = readManifest(bytes, file);
  requireTarget(manifest.workloads, file, target, null);
  let previousDigest: string | null = null;
  for (const each of manifest.images) {
    const named = BY_DIGEST.exec(each.image);
    if (named === null)
      throw new DeployRefused(
        'deploy.digest',
        `manifest ${file}: ${each.where} names ${each.image}, which may mean another image a moment later`,
      );
    if (named[1] !== image.name)
      throw new DeployRefused(
        'deploy.images',
        `manifest ${file}: ${each.where} runs ${each.image}, about which nothing was decided`,
      );
    previousDigest = named[2] as string;
    each.set(`${image.name}@${image.digest}`);
  }
  if (manifest.images.length === 0) throw new DeployRefused('deploy.images', `manifest ${file} runs no image`);
  return { text: manifest.text(), previousDigest };
}

/** The workload of the decision's target must be in the manifest, and no other workload that runs images beside it. */
export function requireTarget(workloads: Workload[], file: string, target: Target, namespace: string | null): void {
  const found = workloads.some(
    (workload) =>
      workload.kind === target.kind &&
      workload.name === target.name &&
      (namespace ?? workload.namespace) === target.namespace,
  );
  if (!found) {
    const there = workloads
      .map((workload) => `${workload.kind} ${namespace ?? workload.namespace ?? '(no namespace)'}/${workload.name}`)
      .join(', ');
    throw new DeployRefused(
      'deploy.target',
      `manifest ${file} has no ${target.kind} ${target.namespace}/${target.name}; it has ${there}`,
    );
  }
}
