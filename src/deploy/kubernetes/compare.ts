import type { Container, Pod, PodSpec } from './objects.ts';

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;
const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

/** Every image that a pod of this kind runs or mounts, with its place. */
export function imagesOf(spec: PodSpec): { where: string; image: string }[] {
  const mounted = (spec.volumes ?? []).filter(({ image }) => image !== undefined && image !== null);
  return [
    ...LISTS.flatMap((list) =>
      (spec[list] ?? []).map(({ name, image }) => ({ where: `${list} ${name}`, image: image ?? '(none)' })),
    ),
    ...mounted.map(({ name, image }) => ({
      where: `volumes ${name}`,
      image: String((image as { reference?: unknown }).reference ?? '(none)'),
    })),
  ];
}

/**
 * How what is there differs from what was decided: another image, in any list of containers or as a volume, a container more or
 * less than in the manifest, another command. What a server fills in otherwise (defaults, other writers’ fields) is none.
 */
export function differences(there: PodSpec, manifest: PodSpec, image: string): string[] {
  const others = imagesOf(there)
    .filter((each) => each.image !== image || each.where.startsWith('volumes '))
    .map((each) => `${each.where} runs ${each.image}, not ${image}`);
  return [...others, ...LISTS.flatMap((list) => changed(list, there[list] ?? [], manifest[list] ?? []))];
}

function changed(list: string, there: Container[], manifest: Container[]): string[] {
  const names = (containers: Container[]) =>
    containers
      .map(({ name }) => name)
      .sort()
      .join(', ') || 'none';
  if (names(there) !== names(manifest)) return [`${list} are ${names(there)}; the manifest has ${names(manifest)}`];
  return there.flatMap((container) => {
    const wanted = manifest.find(({ name }) => name === container.name);
    return (['command', 'args'] as const)
      .filter((key) => JSON.stringify(container[key] ?? []) !== JSON.stringify(wanted?.[key] ?? []))
      .map((key) => `${list} ${container.name} has another ${key} than the manifest`);
  });
}

/**
 * How running pods differ: one that is to run another image, or whose container runs another one by what the node says it pulled.
 * `digests` are of the image and, for an index, of its children: nodes name either. Pods that end are not looked at.
 */
export function runningDifferences(pods: readonly Pod[], image: string, digests: ReadonlySet<string>): string[] {
  return pods.filter(isLive).flatMap(({ metadata, spec, status }) => {
    const meant = imagesOf(spec)
      .filter((each) => each.image !== image || each.where.startsWith('volumes '))
      .map((each) => `pod ${metadata.name}: ${each.where} is to run ${each.image}`);
    const pulled = STATUSES.flatMap((list) => status?.[list] ?? [])
      .filter(({ imageID }) => imageID !== '' && !digests.has(digestIn(imageID)))
      .map(({ name, imageID }) => `pod ${metadata.name}: container ${name} runs ${imageID}`);
    return [...meant, ...pulled];
  });
}

/** Whether a pod still runs or will: neither ended nor about to be deleted. */
export function isLive({ metadata, status }: Pod): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return !ended && (metadata.deletionTimestamp ?? null) === null;
}

/** `registry/repo@sha256:…`, also after `docker-pullable://`. A bare id is that of a configuration, by which nothing was decided. */
function digestIn(imageId: string): string {
  return /@(sha256:[0-9a-f]{64})$/.exec(imageId)?.[1] ?? '';
}
