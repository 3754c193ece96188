import { problemText } from '../../contract/problems.ts';
import type { Target } from '../../contract/target.ts';
import { canonicalBytes } from '../../lib/canonical.ts';
import { digestOf } from '../../lib/digest.ts';
import { BadInput, CouldNot, Denied } from '../../lib/errors.ts';
import { readInput } from '../../lib/file.ts';
import { parseYaml } from '../../lib/yaml.ts';
import type { Image } from '../gitops.ts';
import { changeManifest } from '../plain-manifest.ts';
import { readManifest } from '../pod-images.ts';
import { DeployRefused } from '../refusal.ts';
import type { Observed, Plan, Way } from '../way.ts';
import { type KubernetesApi, named, type Place } from './api.ts';
import { differences, imagesOf, isLive, runningDifferences } from './compare.ts';
import { kindOf, lasting, templateOf } from './kinds.ts';
import { type PodTemplate, podTemplate, type Workload } from './objects.ts';

interface SentObject {
  apiVersion: string;
  kind: string;
  metadata: object;
  [name: string]: unknown;
}

/** The workload as it will be sent, and as it was found. */
export interface KubernetesPlan extends Plan {
  object: SentObject;
  template: PodTemplate;
  before: Workload | null;
}

export interface KubernetesDeploy {
  /** Path of the manifest. */
  manifest: string;
  image: Image;
  /** Of the image and, where it is an index, of its children. */
  digests: ReadonlySet<string>;
  target: Target;
  api: KubernetesApi;
  /** Milliseconds. */
  rolloutTimeout: number;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  progress(line: string): void;
}

/**
 * Deploying straight to a cluster: the one workload of the decision’s target, by server-side apply. The plan is tried out by a
 * dry run, so that a manifest that the cluster refuses uses no decision up, and so that what will be stored is known before:
 * afterwards the very same must be there, must have rolled out, and must be what the pods run.
 */
export function kubernetesWay(deploy: KubernetesDeploy): Way<KubernetesPlan, Workload> {
  const place = placeOf(deploy.target);
  return {
    plan: () => plan(deploy, place),
    act: (planned) => act(deploy, place, planned),
    observe: (planned, applied) => observe(deploy, place, planned, applied),
  };
}

function placeOf(target: Target): Place {
  if (!('cluster' in target)) throw new BadInput('kubernetes.cluster', 'the target is a host, not a cluster');
  const { kind, namespace, name } = target;
  return { kind, namespace, name };
}

async function plan({ manifest, image, target, api }: KubernetesDeploy, place: Place): Promise<KubernetesPlan> {
  const object = objectIn(manifest, image, target);
  const wanted = templateOf(object);
  if (!wanted.success)
    throw new BadInput('manifest.invalid', `manifest ${manifest}: ${problemText(wanted.error, podTemplate)}`);
  const before = await api.read(place);
  const stored = await tryOut(api, place, object);
  const would = requireTemplate(stored, place);
  const other = differences(would.spec, wanted.data.spec, reference(image));
  if (other.length > 0)
    throw new DeployRefused(
      'deploy.images',
      `manifest ${manifest}: the cluster would run something else than it says: ${other.join('; ')}. Another writer of this workload or a mutating webhook adds that`,
    );
  return {
    object,
    template: wanted.data,
    before,
    manifestDigest: digestOfTemplate(would),
    previousDigest: digestIn(before, image),
  };
}

/** The manifest's one object, with every image at the decided digest. */
function objectIn(file: string, image: Image, target: Target): SentObject {
  const bytes = readInput(file, 'manifest', 4 * 1024 * 1024);
  const { text } = changeManifest(bytes, file, image, target);
  const { workloads } = readManifest(Buffer.from(text), file);
  if (workloads.length > 1)
    throw new BadInput(
      'manifest.several',
      `manifest ${file} has ${workloads.length} objects: a deploy changes the one workload that was decided on; apply ${workloads
        .filter(({ images }) => images.length === 0)
        .map(({ kind, name }) => `${kind} ${name}`)
        .join(', ')} by other means`,
    );
  const { documents } = parseYaml(Buffer.from(text), { what: `manifest ${file}`, code: 'manifest.yaml' });
  const [object] = documents.map((document) => document.toJS() as SentObject | null).filter((each) => each !== null);
  const { apiVersion } = kindOf(target.kind);
  if (object?.apiVersion === apiVersion) return object;
  throw new BadInput(
    'manifest.version',
    `manifest ${file}: a ${target.kind} is of apiVersion ${apiVersion}, not ${String(object?.apiVersion)}`,
  );
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

/** How often a change is sent again after a conflict in which only the status had moved on. */
const ATTEMPTS = 5;

/**
 * Applies on top of what was read: when somebody changed the workload in between, nothing is changed. A status that its
 * controller writes in the meantime is no such change, and an answer that was lost is looked up.
 */
async function act({ api }: KubernetesDeploy, place: Place, planned: KubernetesPlan): Promise<Workload> {
  const { object, before, manifestDigest } = planned;
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

/** Milliseconds between two looks at a rollout. */
const INTERVAL = 2_000;

async function observe(
  deploy: KubernetesDeploy,
  place: Place,
  { template, manifestDigest }: KubernetesPlan,
  applied: Workload,
): Promise<Observed> {
  const { api, image, now, sleep, rolloutTimeout } = deploy;
  const until = now() + rolloutTimeout;
  let told = '';
  for (;;) {
    const there = await api.read(place);
    if (there === null) return { observedDigest: null, differences: [`${named(place)} is gone`], about: {} };
    const stored = requireTemplate(there, place);
    const observedDigest = digestOfTemplate(stored);
    const about = {
      images: imagesOf(stored.spec).slice(0, 64),
      uid: there.metadata.uid,
      generation: there.metadata.generation,
    };
    const other = differences(stored.spec, template.spec, reference(image));
    if (there.metadata.uid !== applied.metadata.uid) other.push('it was deleted and made again');
    if (other.length === 0 && observedDigest !== manifestDigest)
      other.push('its pod template is not the one that the dry run showed: a webhook or another writer changed it');
    if (other.length > 0) return { observedDigest, differences: other, about };
    const rollout = kindOf(place.kind).rollout(there);
    if (rollout.state === 'done') return { observedDigest, ...(await running(deploy, place, there, about)) };
    if (rollout.state === 'failed' || now() >= until) {
      const waited = rollout.state === 'failed' ? '' : ` within ${Math.round(rolloutTimeout / 1000)} s`;
      return { observedDigest, differences: [`it has not rolled out${waited}: ${rollout.why}`], about };
    }
    if (rollout.why !== told) deploy.progress(`waiting for ${named(place)}: ${rollout.why}`);
    told = rollout.why;
    await sleep(INTERVAL);
  }
}

/** What the pods of the workload run, by what the nodes say that they pulled. */
async function running(
  { api, image, digests }: KubernetesDeploy,
  place: Place,
  { spec }: Workload,
  about: Observed['about'],
): Promise<Pick<Observed, 'differences' | 'about'>> {
  const { matchLabels, matchExpressions } = spec.selector ?? {};
  // A CronJob selects nothing; an empty selector would be every pod of the namespace.
  const selects = Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) > 0;
  const pods = selects ? await api.pods(place.namespace, { matchLabels, matchExpressions }) : [];
  const found = runningDifferences(pods, reference(image), digests);
  return { differences: found.slice(0, 16), about: { ...about, pods: pods.filter(isLive).length } };
}

function reference({ name, digest }: Image): string {
  return `${name}@${digest}`;
}

function requireTemplate(object: Workload, place: Place): PodTemplate {
  const parsed = templateOf(object);
  if (parsed.success && object.kind === place.kind && object.metadata.name === place.name) {
    if (object.metadata.namespace === place.namespace) return parsed.data;
  }
  throw new CouldNot('kubernetes.answer', `the cluster answered with something else than ${named(place)}`);
}

function digestOfTemplate(template: PodTemplate): string {
  return digestOf(canonicalBytes(lasting(template)));
}

function digestThere(object: Workload): string | null {
  const parsed = templateOf(object);
  return parsed.success ? digestOfTemplate(parsed.data) : null;
}

/** The digest at which this image ran before; null where it did not, or by a tag. */
function digestIn(before: Workload | null, { name }: Image): string | null {
  const parsed = before === null ? null : templateOf(before);
  const images = parsed?.success === true ? imagesOf(parsed.data.spec) : [];
  const found = images.map(({ image }) => image).find((image) => image.startsWith(`${name}@sha256:`));
  return found?.slice(name.length + 1) ?? null;
}
