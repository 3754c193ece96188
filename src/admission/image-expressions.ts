/*
 * CEL (https://kubernetes.io/docs/reference/using-api/cel) that finds every image that an object would run or mount. The places of
 * a pod's specification are looked at in every kind, so that a kind that is not known here is judged as well, where it keeps a
 * template at one of them; the pods of any other kind are judged when they are made.
 */

/** Pod; Deployment and its like, most custom kinds; CronJob; PodTemplate. */
const PLACES = ['.?spec', '.?spec.?template.?spec', '.?spec.?jobTemplate.?spec.?template.?spec', '.?template.?spec'];
const LISTS = ['containers', 'initContainers', 'ephemeralContainers'];

/** A CEL expression for the list of all images of `object` or `oldObject`; an image that is left out is the text `(none)`. */
export function imagesIn(object: 'object' | 'oldObject'): string {
  const list = (name: string) => PLACES.map((place) => `${object}${place}.?${name}.orValue([])`);
  return [
    `(${LISTS.flatMap(list).join(' + ')}).map(c, c.?image.orValue('(none)'))`,
    `(${list('volumes').join(' + ')}).filter(v, has(v.image)).map(v, v.image.?reference.orValue('(none)'))`,
  ].join(' + ');
}

/** RE2 for `registry/repository@sha256:<64 hex>` of one of these registries (or registry/namespace), anchored, without a tag. */
export function imagePattern(registries: readonly string[]): string {
  const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
  const literal = registries.map((registry) => registry.replaceAll('.', '[.]'));
  return `^(?:${literal.join('|')})(?:/${part})+@sha256:[0-9a-f]{64}$`;
}
