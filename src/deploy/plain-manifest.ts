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
  const images = manifest.workloads.flatMap((workload) => workload.images);
  let previousDigest: string | null = null;
  for (const each of images) {
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
  if (images.length === 0) throw new DeployRefused('deploy.images', `manifest ${file} runs no image`);
  requireTarget(manifest.workloads, file, target, null);
  return { text: manifest.text(), previousDigest };
}

/** The workload of the decision's target must be in the manifest, and no other workload that runs images beside it. */
export function requireTarget(workloads: Workload[], file: string, target: Target, namespace: string | null): void {
  const named = ({ kind, namespace: own, name }: Workload) => `${kind} ${namespace ?? own ?? '(no namespace)'}/${name}`;
  const wanted = `${target.kind} ${target.namespace}/${target.name}`;
  if (!workloads.some((workload) => named(workload) === wanted)) {
    throw new DeployRefused(
      'deploy.target',
      `manifest ${file} has no ${wanted}; it has ${workloads.map(named).join(', ')}`,
    );
  }
  const other = workloads.find((workload) => named(workload) !== wanted && workload.images.length > 0);
  if (other !== undefined) {
    throw new DeployRefused(
      'deploy.target',
      `manifest ${file} also has ${named(other)}, which runs an image: a decision is about one target`,
    );
  }
}
