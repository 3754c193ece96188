import { BadInput, Denied } from '../lib/errors.ts';
import { type Descriptor, MANIFEST_LIMIT, parseIndex } from './manifest.ts';
import { isDigest, isRepository } from './names.ts';
import { locate, placeOf } from './redirect.ts';
import type { Answer, Transport } from './transport.ts';

export interface ReferrersApi {
  /** The descriptors that the referrers API lists for a digest, over all its pages; null where the registry has no such API. */
  listReferrers(repository: string, digest: string): Promise<Descriptor[] | null>;
}

/** What registries answer that do not know the path; everything else that is not 200 is an error. */
const NO_API = [400, 404, 405, 406, 501];
const MOST_PAGES = 50;

/** Distribution specification 1.1, "Listing Referrers". The descriptors are the registry's word only: read each manifest. */
export function createReferrersApi(transport: Transport): ReferrersApi {
  return {
    async listReferrers(repository, digest) {
      if (!isRepository(repository) || !isDigest(digest)) {
        throw new BadInput(
          'registry.reference',
          `"${repository}" with "${digest}" names no manifest: expected a repository and a digest`,
        );
      }
      const what = `list the referrers of ${digest} in ${repository}`;
      const listed: Descriptor[] = [];
      let to: URL | string = `${repository}/referrers/${digest}`;
      for (let page = 1; ; page++) {
        const call = {
          method: 'GET',
          to,
          repository,
          access: 'pull',
          expect: page === 1 ? [200, ...NO_API] : [200],
          what,
        } as const;
        const answer = await transport.exchange(call, MANIFEST_LIMIT);
        if (answer.status !== 200) return null;
        const { manifests } = parseIndex(
          answer.body,
          `the list of referrers of ${digest}`,
          (code, message, cause) => new Denied(code, message, cause),
        );
        listed.push(...manifests);
        const next = nextPage(answer);
        if (next === null) return listed;
        if (page === MOST_PAGES) {
          throw new Denied(
            'registry.too_many_pages',
            `${answer.url.host} lists the referrers of ${digest} on more than ${MOST_PAGES} pages: no image has so many, remove what does not belong there`,
          );
        }
        to = next;
      }
    },
  };
}

/** The address behind `rel="next"` (RFC 8288), which must be on the registry itself. */
function nextPage(answer: Answer): URL | null {
  const header = [answer.headers.link ?? []].flat().join(', ');
  const match = /<([^<>]*)>\s*;[^<]*\brel="?next"?/i.exec(header);
  if (match === null) return null;
  const next = locate(match[1] as string, answer.url);
  if (next.origin !== answer.url.origin) {
    throw new Denied(
      'registry.foreign_page',
      `${answer.url.host} continues its list of referrers at ${placeOf(next)}: another host may not speak for this registry`,
    );
  }
  return next;
}
