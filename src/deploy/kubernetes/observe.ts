import { CouldNot, messageOf } from '../../lib/errors.ts';
import type { Image } from '../gitops.ts';
import type { Observed } from '../way.ts';
import { type KubernetesApi, named, type Place } from './api.ts';
import { differences, imagesOf, isLive, runningDifferences } from './compare.ts';
import { kindOf } from './kinds.ts';
import type { Workload } from './objects.ts';
import type { KubernetesPlan } from './plan.ts';
import { digestOfTemplate, reference, requireTemplate } from './template.ts';

/** What is looked for, and for how long; times are milliseconds. */
export interface Watch {
  api: KubernetesApi;
  image: Image;
  /** Of the image and, where it is an index, of its children. */
  digests: ReadonlySet<string>;
  rolloutTimeout: number;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  progress(line: string): void;
}

/** Milliseconds between two looks at a rollout. */
const INTERVAL = 2_000;

/**
 * Looks until the workload has rolled out as it was planned, or is seen to be something else, or the time is up. A server that does
 * not answer is asked again until then. Throws CouldNot.
 */
export async function observeWorkload(
  watch: Watch,
  place: Place,
  plan: KubernetesPlan,
  applied: Workload,
): Promise<Observed> {
  const { now, sleep, progress, rolloutTimeout } = watch;
  const until = now() + rolloutTimeout;
  let told = '';
  for (;;) {
    const inTime = now() < until;
    const { observed, waiting } = await look(watch, place, plan, applied).catch((thrown) => {
      if (inTime && isPassing(thrown)) return { observed: null, waiting: messageOf(thrown) };
      throw thrown;
    });
    if (observed !== null && (waiting === null || !inTime)) {
      const late = `it has not rolled out within ${Math.round(rolloutTimeout / 1000)} s: ${waiting}`;
      return waiting === null ? observed : { ...observed, differences: [late] };
    }
    if (waiting !== null && waiting !== told) progress(`waiting for ${named(place)}: ${waiting}`);
    told = waiting ?? '';
    await sleep(INTERVAL);
  }
}

/** Nobody answered, or the server is busy: no word about the workload. */
function isPassing(thrown: unknown): boolean {
  return thrown instanceof CouldNot && (thrown.code.startsWith('http.') || thrown.code === 'kubernetes.failed');
}

/** What is there now, and what it still waits for. */
async function look(
  watch: Watch,
  place: Place,
  { template, manifestDigest }: KubernetesPlan,
  applied: Workload,
): Promise<{ observed: Observed; waiting: string | null }> {
  const there = await watch.api.read(place);
  if (there === null)
    return { observed: { observedDigest: null, differences: [`${named(place)} is gone`], about: {} }, waiting: null };
  const stored = requireTemplate(there, place);
  const { uid, generation } = there.metadata;
  const observed: Observed = {
    observedDigest: digestOfTemplate(stored),
    differences: differences(stored.spec, template.spec, reference(watch.image)),
    about: { images: imagesOf(stored.spec).slice(0, 64), uid, generation },
  };
  if (uid !== applied.metadata.uid) observed.differences.push('it was deleted and made again');
  if (observed.differences.length === 0 && observed.observedDigest !== manifestDigest)
    observed.differences.push(
      'its pod template is not what the dry run showed: a webhook or another writer changed it',
    );
  if (observed.differences.length > 0) return { observed, waiting: null };
  const rollout = kindOf(place.kind).rollout(there);
  if (rollout.state === 'waiting') return { observed, waiting: rollout.why };
  if (rollout.state === 'failed')
    return { observed: { ...observed, differences: [`it does not roll out: ${rollout.why}`] }, waiting: null };
  const { found, count } = await running(watch, place, there);
  return { observed: { ...observed, differences: found, about: { ...observed.about, pods: count } }, waiting: null };
}

/** How many pods of the workload run, and which of them something else, by what the nodes say that they pulled. */
async function running(
  { api, image, digests }: Watch,
  { namespace }: Place,
  { spec }: Workload,
): Promise<{ found: string[]; count: number }> {
  const { matchLabels, matchExpressions } = spec.selector ?? {};
  // A CronJob selects nothing; an empty selector would be every pod of the namespace.
  const selects = Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) > 0;
  const pods = selects ? await api.pods(namespace, { matchLabels, matchExpressions }) : [];
  return {
    found: runningDifferences(pods, reference(image), digests).slice(0, 16),
    count: pods.filter(isLive).length,
  };
}
