import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { laySite, REPOSITORY, registerDraft, type Site } from '../../src/commands/demo/site.ts';
import { gatehouse, layGitops, open, sign, withKey } from '../../src/commands/demo/steps.ts';

export const SAMPLE = resolve('sample');

/** A site as the demo lays it, of the fresh build, with a published register. */
export async function layReadySite(folder: string, registry: string): Promise<Site> {
  const site = laySite(folder, resolve('build/dist'), join(SAMPLE, 'reports'), registry);
  const { json: release } = await gatehouse(site, 'register', 'release');
  writeFileSync(site.path('register.json'), JSON.stringify(registerDraft(release, Date.now())));
  await succeed(withKey(site, 'release', 'register', 'publish', '--file', site.path('register.json')));
  await layGitops(site, SAMPLE, `${registry}/${REPOSITORY}`);
  return site;
}

/** The same with an open run and the sample's image pushed and signed; gives the image by digest. */
export async function laySignedSite(folder: string, registry: string): Promise<{ site: Site; image: string }> {
  const site = await layReadySite(folder, registry);
  await succeed(open(site));
  const { json: built } = await succeed(
    gatehouse(site, 'build-sign', '--phase', 'build', '--layout', join(SAMPLE, 'image')),
  );
  const { json: signed } = await succeed(sign(site, join(SAMPLE, 'image'), built.digest, `${registry}/${REPOSITORY}`));
  return { site, image: signed.image };
}

/** The public half of a role's key, as the site's contract names it. */
export function publicKeyOf(site: Site, role: string): string {
  const text = readFileSync(site.path('fork', 'contract.yml'), 'utf8');
  return JSON.parse(text.slice(text.indexOf('{'))).trust.keys[role][0].public;
}

async function succeed<T extends { code: number; text: string }>(step: Promise<T>): Promise<T> {
  const said = await step;
  if (said.code !== 0) throw new Error(`a step that was to succeed ended with exit ${said.code}: ${said.text}`);
  return said;
}
