import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMap, isScalar, type Node, type YAMLMap } from 'yaml';
import { atLeastOne, filled } from '../contract/primitives.ts';
import { problemText } from '../contract/problems.ts';
import type { Target } from '../contract/target.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseYaml } from '../lib/yaml.ts';
import * as z from '../lib/zod.ts';
import type { Image } from './gitops.ts';
import { requireTarget } from './plain-manifest.ts';
import { readManifest, splice } from './pod-images.ts';
import { DeployRefused } from './refusal.ts';

/** Kustomize takes the name of an image for a pattern: only what stands for itself in one is followed. */
const imageWords = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9._/:-]*$/, 'expected the name of an image, without tag and digest'));

/** The part of a kustomization that can be followed here. Strict: a patch or generator could bring in any image. */
const kustomization = z.strictObject({
  apiVersion: z.optional(z.string()),
  kind: z.optional(z.literal('Kustomization')),
  namespace: z.optional(filled),
  resources: atLeastOne(
    z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/, 'expected a manifest beside the kustomization')),
  ),
  images: atLeastOne(
    z.strictObject({
      name: imageWords,
      newName: z.optional(imageWords),
      newTag: z.optional(z.string()),
      digest: z.optional(z.string()),
    }),
  ),
  // Without `fields`, which write a label's name and value at any path of any object: the reference of an image volume, say.
  labels: z.optional(
    z.array(
      z.strictObject({
        pairs: z.record(z.string(), z.string()),
        includeSelectors: z.optional(z.boolean()),
        includeTemplates: z.optional(z.boolean()),
      }),
    ),
  ),
  commonAnnotations: z.optional(z.record(z.string(), z.string())),
});

/**
 * A kustomization with its one entry under `images` at this digest. Every image that its resources run must be mapped by that
 * entry: anything else is refused, as is an entry with a tag, and a second entry, which could map what the first one made.
 * `resources` are the files that were read beside it.
 */
export function changeKustomization(
  bytes: Buffer,
  file: string,
  image: Image,
  target: Target,
): { text: string; previousDigest: string | null; resources: string[] } {
  const { text, documents } = parseYaml(bytes, { what: `kustomization ${file}`, code: 'manifest.yaml' });
  const unread = (why: string) =>
    new BadInput(
      'kustomization.unread',
      `kustomization ${file} cannot be followed: ${why}; what is not understood is not deployed`,
    );
  const [document, ...more] = documents;
  if (document === undefined || more.length > 0) throw unread('it holds no or several YAML documents');
  const parsed = kustomization.safeParse(document.toJS());
  if (!parsed.success) throw unread(problemText(parsed.error, kustomization));
  const { images, resources, namespace } = parsed.data;
  const tagged = images.find((entry) => entry.newTag !== undefined);
  if (tagged !== undefined)
    throw new DeployRefused(
      'deploy.digest',
      `kustomization ${file} names ${tagged.name}:${tagged.newTag}, which may mean another image a moment later`,
    );
  const [entry, second] = images as [(typeof images)[number], ...typeof images];
  if (second !== undefined)
    throw new DeployRefused(
      'deploy.images',
      `kustomization ${file} has ${images.length} entries under images (${second.name}): one of them may map what another one made`,
    );
  if ((entry.newName ?? entry.name) !== image.name)
    throw new DeployRefused('deploy.images', `kustomization ${file} has no entry for ${image.name} under images`);
  const paths = resources.map((resource) => join(dirname(file), resource));
  checkResources(paths, file, entry.name, target, namespace ?? null);
  const node = document.getIn(['images', 0]);
  if (!isMap(node)) throw unread('images[0] is no map');
  return {
    text: splice(text, [digestEdit(node as YAMLMap, image.digest, text)]),
    previousDigest: entry.digest ?? null,
    resources: paths,
  };
}

/** Puts the digest where one is, else before the entry's first key, in the entry's own style. */
function digestEdit(entry: YAMLMap, digest: string, text: string): { start: number; end: number; text: string } {
  const there = entry.get('digest', true);
  if (isScalar(there) && there.range) return { start: there.range[0], end: there.range[1], text: digest };
  const [first] = entry.items as { key: Node }[];
  const start = first?.key.range?.[0] ?? 0;
  const indent = ' '.repeat(start - text.lastIndexOf('\n', start - 1) - 1);
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  return { start, end: start, text: `digest: ${digest}${entry.flow === true ? ', ' : `${end}${indent}`}` };
}

/** Kustomize replaces the image whose name, without tag and digest, is the entry's; every image of every resource must be that one. */
function checkResources(paths: string[], file: string, mapped: string, target: Target, namespace: string | null): void {
  const manifests = paths.map((path) => {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new BadInput('gitops.link', `${path} is a symbolic link: name the file itself`);
    return { path, ...readManifest(readInput(path, 'resource', 4 * 1024 * 1024), path) };
  });
  for (const { path, workloads } of manifests) {
    for (const { image, where, list } of workloads.flatMap((workload) => workload.images)) {
      const [name] = image.split('@') as [string];
      if (name.startsWith(`${mapped}:`))
        throw new DeployRefused('deploy.digest', `resource ${path}: ${where} names the tag ${image}`);
      if (name !== mapped)
        throw new DeployRefused(
          'deploy.images',
          `resource ${path}: ${where} runs ${image}, about which nothing was decided`,
        );
      if (list !== 'containers' && list !== 'initContainers')
        throw new DeployRefused(
          'deploy.images',
          `resource ${path}: ${where} runs ${image} at a place where kustomize does not map it`,
        );
    }
  }
  const workloads = manifests.flatMap((manifest) => manifest.workloads);
  if (workloads.every(({ images }) => images.length === 0))
    throw new DeployRefused('deploy.images', `kustomization ${file} runs no image`);
  requireTarget(workloads, file, target, namespace);
}
