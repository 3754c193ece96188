import { CouldNot } from '../../lib/errors.ts';
import type { KubernetesApi, Place } from './api.ts';
import type { Workload } from './objects.ts';
import type { KubernetesPlan } from './plan.ts';
import { digestThere } from './template.ts';

/** How often a change is sent again after a conflict in which only the status had moved on. */
const ATTEMPTS = 5;

/**
 * Applies on top of what was read: when somebody changed the workload in between, nothing is changed. A status that its
 * controller writes in the meantime is no such change, and an answer that was lost is looked up.
 */
export async function applyPlan(
  api: KubernetesApi,
  place: Place,
  { object, before, manifestDigest }: KubernetesPlan,
): Promise<Workload> {
  let version = before?.metadata.resourceVersion;
  for (let attempt = 1; ; attempt++) {
    const metadata = { ...object.metadata, ...(version === undefined ? {} : { resourceVersion: version }) };
    try {
      return await api.apply(place, { ...object, metadata }, false);
    } catch (thrown) {
      const code = thrown instanceof CouldNot ? thrown.code : '';
      if (code !== 'kubernetes.conflict' && !code.startsWith('http.')) throw thrown;
      const there = await api.read(place).catch(() => null);
      const arrived = there !== null && there.metadata.generation !== (before?.metadata.generation ?? 0);
      if (code.startsWith('http.') && arrived && digestThere(there) === manifestDigest) return there;
      const untouched = there !== null && before !== null && same(there, before);
      if (code !== 'kubernetes.conflict' || !untouched || attempt === ATTEMPTS) throw thrown;
      version = there.metadata.resourceVersion;
    }
  }
}

function same({ metadata: a }: Workload, { metadata: b }: Workload): boolean {
  return a.uid === b.uid && a.generation === b.generation;
}
