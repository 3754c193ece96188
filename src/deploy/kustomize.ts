import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { problemText } from '../contract/problems.ts';
import type { Target } from '../contract/target.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import type { Image } from './gitops.ts';
import { requireTarget } from './plain-manifest.ts';
import { readManifest } from './pod-images.ts';
import { DeployRefused } from './refusal.ts';

/** The part of a kustomization that can be followed here. Strict: a patch or generator could bring in any image. */
const kustomization = z.strictObject({
  apiVersion: z.string().optional(),
  kind: z.literal('Kustomization').optional(),
  namespace: z.string().min(1).optional(),
  resources: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/, 'expected a manifest beside the kustomization'))
    .min(1),
  images: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        newName: z.string().min(1).optional(),
        newTag: z.string().optional(),
        digest: z.string().optional(),
      }),
    )
    .min(1),
  labels: z.array(z.unknown()).optional(),
  commonAnnotations: z.record(z.string(), z.string()).optional(),
});

/**
 * A kustomization with the image's entry at this digest. Every image that its resources run must be mapped by that entry:
 * anything else is refused, as is an entry with a tag.
 */
export function changeKustomization(
  bytes: Buffer,
  file: string,
  image: Image,
  target: Target,
): { text: string; previousDigest: string | null } {
  const document = parseDocument(bytes.toString('utf8'), { uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw new BadInput('manifest.yaml', `kustomization ${file} is not YAML: ${broken.message.split('\n')[0]}`, broken);
  const parsed = kustomization.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success)
    throw new BadInput(
      'kustomization.unread',
      `kustomization ${file} cannot be followed: ${problemText(parsed.error, kustomization)}; what is not understood is not deployed`,
    );
  const { images, resources, namespace } = parsed.data;
  const tagged = images.find((entry) => entry.newTag !== undefined);
  if (tagged !== undefined)
    throw new DeployRefused(
      'deploy.digest',
      `kustomization ${file} names ${tagged.name}:${tagged.newTag}, which may mean another image a moment later`,
    );
  const index = images.findIndex((entry) => (entry.newName ?? entry.name) === image.name);
  if (index === -1)
    throw new DeployRefused('deploy.images', `kustomization ${file} has no entry for ${image.name} under images`);
  const entry = images[index] as (typeof images)[number];
  checkResources(resources, dirname(file), entry.name, target, namespace ?? null);
  const list = document.get('images', true);
  const node = isSeq(list) ? list.items[index] : null;
  if (!isMap(node)) throw new BadInput('kustomization.unread', `kustomization ${file}: images[${index}] is no map`);
  (node as YAMLMap).set('digest', image.digest);
  return { text: String(document), previousDigest: entry.digest ?? null };
}

/** Kustomize replaces the image whose name, without tag and digest, is the entry's; every image of every resource must be that one. */
function checkResources(
  resources: string[],
  folder: string,
  mapped: string,
  target: Target,
  namespace: string | null,
): void {
  const manifests = resources.map((resource) => {
    const path = join(folder, resource);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new BadInput('gitops.link', `${path} is a symbolic link: name the file itself`);
    return { path, manifest: readManifest(readInput(path, 'resource', 4 * 1024 * 1024), path) };
  });
  for (const { path, manifest } of manifests) {
    for (const { image, where } of manifest.images) {
      const [name] = image.split('@') as [string];
      if (name.startsWith(`${mapped}:`))
        throw new DeployRefused('deploy.digest', `resource ${path}: ${where} names the tag ${image}`);
      if (name !== mapped)
        throw new DeployRefused(
          'deploy.images',
          `resource ${path}: ${where} runs ${image}, about which nothing was decided`,
        );
    }
  }
  if (manifests.every(({ manifest }) => manifest.images.length === 0))
    throw new DeployRefused('deploy.images', `the kustomization in ${folder} runs no image`);
  requireTarget(
    manifests.flatMap(({ manifest }) => manifest.workloads),
    folder,
    target,
    namespace,
  );
}
