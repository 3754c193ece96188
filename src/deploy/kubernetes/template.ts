import { canonicalBytes } from '../../lib/canonical.ts';
import { digestOf } from '../../lib/digest.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { Image } from '../gitops.ts';
import { named, type Place } from './api.ts';
import { imagesOf } from './compare.ts';
import { lasting, templateOf } from './kinds.ts';
import type { PodTemplate, Workload } from './objects.ts';

/** The pod template of what a cluster answered with. Throws CouldNot where that is another object, or has none. */
export function requireTemplate(object: Workload, place: Place): PodTemplate {
  const parsed = templateOf(object);
  if (parsed.success && object.kind === place.kind && object.metadata.name === place.name) {
    if (object.metadata.namespace === place.namespace) return parsed.data;
  }
  throw new CouldNot('kubernetes.answer', `the cluster answered with something else than ${named(place)}`);
}

/** Over canonical JSON, without what every creation makes anew. */
export function digestOfTemplate(template: PodTemplate): string {
  return digestOf(canonicalBytes(lasting(template)));
}

/** The same of an object; null where it has no template. */
export function digestThere(object: Workload): string | null {
  const parsed = templateOf(object);
  return parsed.success ? digestOfTemplate(parsed.data) : null;
}

/** The digest at which this image ran before; null where it did not, or by a tag. */
export function digestIn(before: Workload | null, { name }: Image): string | null {
  const parsed = before === null ? null : templateOf(before);
  const images = parsed?.success === true ? imagesOf(parsed.data.spec) : [];
  const found = images.map(({ image }) => image).find((image) => image.startsWith(`${name}@sha256:`));
  return found?.slice(name.length + 1) ?? null;
}

/** As a manifest names it. */
export function reference({ name, digest }: Image): string {
  return `${name}@${digest}`;
}
