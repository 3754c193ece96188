/* The grammar of names, tags and digests (OCI distribution specification 1.1, "Pulling manifests"). */

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether this is a repository name: lower-case path components, 255 characters at most. */
export function isRepository(text: string): boolean {
  return text.length <= 255 && REPOSITORY.test(text);
}

/** Whether this is a tag: 128 characters at most, none of them `/`, `:` or `@`. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether this is `sha256:<64 lower-case hex>`, the only algorithm that is taken here. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** `sha256-<64 hex>`: the tag that stands for a digest in the referrers tag schema, and before `.sig` and `.att`. */
export function tagOfDigest(digest: string): string {
  return digest.replace(':', '-');
}
