import { problemText } from '../../contract/problems.ts';
import type { Target } from '../../contract/target.ts';
import { BadInput, Denied } from '../../lib/errors.ts';
import type { Image } from '../gitops.ts';
import { DeployRefused } from '../refusal.ts';
import type { Plan } from '../way.ts';
import type { KubernetesApi, Place } from './api.ts';
import { differences } from './compare.ts';
import type { Manifest } from './judged-manifest.ts';
import { templateOf } from './kinds.ts';
import { readObject, type SentObject } from './manifest.ts';
import { type PodTemplate, podTemplate, type Workload } from './objects.ts';
import { digestIn, digestOfTemplate, reference, requireTemplate } from './template.ts';

/** The workload as it will be sent, and as it was found. */
export interface KubernetesPlan extends Plan {
  object: SentObject;
  /** As the manifest has it. */
  template: PodTemplate;
  before: Workload | null;
}

/**
 * Tries the manifest out by a dry run of the server and takes what that would store for what is to be there: the server's defaults
 * and its webhooks are in it. Throws DeployRefused where it is not what the manifest says or the cluster does not admit it.
 */
export async function planWorkload(
  api: KubernetesApi,
  place: Place,
  { manifest, image, target }: { manifest: Manifest; image: Image; target: Target },
): Promise<KubernetesPlan> {
  const object = readObject(manifest, image, target);
  const wanted = templateOf(object);
  if (!wanted.success)
    throw new BadInput('manifest.invalid', `manifest ${manifest.file}: ${problemText(wanted.error, podTemplate)}`);
  const before = await api.read(place);
  const stored = await tryOut(api, place, object);
  const would = requireTemplate(stored, place);
  const other = differences(would.spec, wanted.data.spec, reference(image));
  if (other.length > 0)
    throw new DeployRefused(
      'deploy.images',
      `manifest ${manifest.file}: the cluster would run something else than it says: ${other.join('; ')}. Another writer of this workload or a mutating webhook adds that`,
    );
  return {
    object,
    template: wanted.data,
    before,
    manifestDigest: digestOfTemplate(would),
    previousDigest: digestIn(before, image),
  };
}

/** A refusal of the cluster's own rules is the deploy's refusal, and on record as such. */
async function tryOut(api: KubernetesApi, place: Place, object: object): Promise<Workload> {
  try {
    return await api.apply(place, object, true);
  } catch (thrown) {
    if (thrown instanceof Denied && thrown.code === 'deploy.admission')
      throw new DeployRefused('deploy.admission', thrown.message);
    throw thrown;
  }
}
