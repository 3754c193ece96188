import { BadInput, messageOf } from '../lib/errors.ts';
import { isDigest, isRepository, isTag } from './names.ts';

/** `registry/repository`, without tag or digest. */
export interface ImageName {
  /** Host and port as written: `ghcr.io`, `127.0.0.1:5000`. */
  registry: string;
  /** Path below it: `acme/app`. */
  repository: string;
  /** Both: `ghcr.io/acme/app`. */
  name: string;
}

/** The only form of image reference that anything here acts on. */
export interface Reference extends ImageName {
  digest: string;
}

export interface TaggedReference extends ImageName {
  tag: string;
}

/** A tag where a digest is meant: carries what was named, so that its digest of now can go into the message. */
export class TagRefused extends BadInput {
  readonly tagged: TaggedReference;

  constructor(tagged: TaggedReference, now: string) {
    super(
      'reference.tag',
      `${tagged.name}:${tagged.tag} is a tag, and a tag may mean another image a moment later: name the image by digest${now}`,
    );
    this.tagged = tagged;
  }
}

/**
 * Parses `registry/repository@sha256:<64 hex>`.
 *
 * Throws TagRefused for a tag or a bare name (which would mean the tag `latest`), else BadInput with a code `reference.*`.
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  if (at === -1) {
    const tagged = parseTagged(text);
    throw new TagRefused(tagged, `, ${tagged.name}@sha256:<64 hex>`);
  }
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) throw badDigest(text, digest);
  const [before, tag] = splitTag(text.slice(0, at));
  if (tag !== null) {
    throw new BadInput(
      'reference.tag_and_digest',
      `${shown(text)} has a tag and a digest, and they may disagree: leave out ":${tag}"`,
    );
  }
  return { ...parseName(before), digest };
}

/** Parses `registry/repository:tag`; without a tag it means `latest`. Throws BadInput. */
export function parseTagged(text: string): TaggedReference {
  const [before, tag] = splitTag(text);
  if (tag !== null && !isTag(tag)) {
    throw new BadInput(
      'reference.tag_invalid',
      `${shown(text)} does not end in a tag: expected letters, digits, ".", "_" and "-" after the colon`,
    );
  }
  return { ...parseName(before), tag: tag ?? 'latest' };
}

/** Parses `registry/repository`. The registry must be written out: nothing here has a default one. Throws BadInput. */
export function parseName(text: string): ImageName {
  if (text.trim() === '') {
    throw new BadInput(
      'reference.empty',
      'an image reference is empty: the variable or output that should hold it was probably never set',
    );
  }
  if (/^[a-z-]+:\/\//.test(text)) {
    throw new BadInput('reference.scheme', `${shown(text)} starts with a transport: leave out everything up to "//"`);
  }
  const slash = text.indexOf('/');
  const registry = slash === -1 ? '' : text.slice(0, slash);
  const repository = text.slice(slash + 1);
  if (!isRegistry(registry)) {
    throw new BadInput(
      'reference.registry',
      `${shown(text)} does not start with a registry host: write it out in lower case, for example ghcr.io/acme/app or docker.io/library/nginx`,
    );
  }
  if (!isRepository(repository)) {
    throw new BadInput(
      'reference.repository',
      `${shown(text)} has the repository "${shown(repository)}": expected lower-case letters, digits and single separators, for example acme/app`,
    );
  }
  if (registry === 'docker.io' && !repository.includes('/')) {
    throw new BadInput('reference.repository', `${text} is short for docker.io/library/${repository}: write it out`);
  }
  return { registry, repository, name: text };
}

/**
 * As parseReference; for a tag, `resolve` is asked for its digest of now, which then stands in the message. A resolver that
 * fails (throws) changes nothing but the message: the tag is refused either way.
 */
export async function requireDigest(
  text: string,
  resolve: (tagged: TaggedReference) => Promise<string>,
): Promise<Reference> {
  try {
    return parseReference(text);
  } catch (refused) {
    if (!(refused instanceof TagRefused)) throw refused;
    throw new TagRefused(refused.tagged, await whatNow(refused.tagged, resolve));
  }
}

async function whatNow(
  tagged: TaggedReference,
  resolve: (tagged: TaggedReference) => Promise<string>,
): Promise<string> {
  try {
    return `, now ${tagged.name}@${await resolve(tagged)}`;
  } catch (cause) {
    return ` (what it means now could not be found out: ${messageOf(cause)})`;
  }
}

/** Cuts off what follows the last colon, unless that belongs to the registry's port. */
function splitTag(text: string): [string, string | null] {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  return colon === -1 || !text.includes('/') ? [text, null] : [text.slice(0, colon), text.slice(colon + 1)];
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const REGISTRY = new RegExp(`^(?:localhost|\\[::1\\]|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:))(?::([1-9]\\d{0,4}))?$`);

/** Whether this is a host, with a port where its name has no dot (as docker tells a host from a path). */
export function isRegistry(text: string): boolean {
  const match = REGISTRY.exec(text);
  return match !== null && text.length <= 255 && Number(match[1] ?? 0) <= 65_535;
}

function badDigest(text: string, digest: string): BadInput {
  const why =
    digest === ''
      ? 'has nothing after "@": the variable or output that should hold the digest was probably never set'
      : 'does not end in a digest: expected sha256: and 64 lower-case hex digits';
  return new BadInput('reference.digest', `${shown(text)} ${why}`);
}

/** What a person wrote, short and without control characters, since it goes into logs. */
function shown(text: string): string {
  const clean = text.replaceAll(/[\p{C}\s]+/gu, ' ');
  return clean.length > 120 ? `${clean.slice(0, 120)}…` : clean;
}
