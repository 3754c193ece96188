import { type Document, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap } from 'yaml';
import { BadInput } from '../lib/errors.ts';
import { parseYaml } from '../lib/yaml.ts';

/** One image of a manifest, with its place in the text. */
export interface PodImage {
  image: string;
  /** `Deployment web, containers[0]`, for messages. */
  where: string;
  /** The list of containers that it stands in, or null for an image at any other place. */
  list: (typeof CONTAINERS)[number] | null;
  /** Puts another image there; the next `text()` of the manifest has it. */
  set(image: string): void;
}

/** A Kubernetes object of a manifest. */
export interface Workload {
  kind: string;
  namespace: string | null;
  name: string;
  images: PodImage[];
}

export interface Manifest {
  workloads: Workload[];
  /** The manifest with the images as they are set now; every other byte stays. */
  text(): string;
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'] as const;
/** What is only text or a schema to the cluster, whatever its keys are called. */
const RUNS_NOTHING = ['ConfigMap', 'Secret', 'CustomResourceDefinition'];
const LABELS = ['labels', 'annotations', 'matchLabels'];

/**
 * Reads a Kubernetes manifest and finds every image that it would run: in each list of containers and under each key `image`,
 * at any depth of any kind, so that no kind is forgotten. Throws BadInput for YAML that is not read the same by all, for a
 * container without an image, for an image in parts, for a list of objects, and for image volumes, which run nothing but bring
 * in content that nobody judged.
 */
export function readManifest(bytes: Buffer, what: string): Manifest {
  const { text, documents } = parseYaml(bytes, { what: `manifest ${what}`, code: 'manifest.yaml' });
  const edits: Edit[] = [];
  const workloads = documents
    .filter(({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null))
    .map((document) => {
      const workload = workloadOf(document, what);
      if (!RUNS_NOTHING.includes(workload.kind)) {
        const finder = { what, where: `${workload.kind} ${workload.name}`, images: workload.images, edits };
        collect(document.contents as Node, '', finder);
      }
      return workload;
    });
  return { workloads, text: () => splice(text, edits) };
}

/** The text with these replacements; they do not overlap. */
export function splice(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((done, { start, end, text: by }) => done.slice(0, start) + by + done.slice(end), text);
}

function workloadOf(document: Document, what: string): Workload {
  const text = (path: string[]) => {
    const value = isMap(document.contents) ? document.getIn(path) : null;
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const [kind, name] = [text(['kind']), text(['metadata', 'name'])];
  if (kind?.endsWith('List') === true)
    throw new BadInput(
      'manifest.list',
      `manifest ${what} has a ${kind}: write each of its items as a document of its own`,
    );
  if (kind === null || name === null)
    throw new BadInput(
      'manifest.object',
      `manifest ${what} has an object without kind or metadata.name: it is no Kubernetes manifest`,
    );
  return { kind, name, namespace: text(['metadata', 'namespace']), images: [] };
}

interface Finder {
  what: string;
  where: string;
  images: PodImage[];
  edits: Edit[];
}

function collect(node: Node | null, above: string, finder: Finder): void {
  if (isSeq(node)) for (const item of node.items) collect(item as Node, above, finder);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const list = CONTAINERS.find((each) => each === name);
    if (name === 'volumes' && isSeq(value)) refuseImageVolumes(value.items as Node[], finder);
    if (list !== undefined && isSeq(value)) {
      value.items.forEach((item, i) => {
        const image = isMap(item) ? (item as YAMLMap).get('image', true) : undefined;
        finder.images.push(imageOf(image, `${finder.where}, ${list}[${i}]`, list, finder));
        collectOthers(item as Node, finder);
      });
    } else if (name === 'image' && !LABELS.includes(above)) {
      finder.images.push(imageOf(value, `${finder.where}, ${above === '' ? '' : `${above}.`}image`, null, finder));
    } else collect(value as Node, name, finder);
  }
}

/** Whatever a container has beside its own image. */
function collectOthers(container: Node, finder: Finder): void {
  if (!isMap(container)) return;
  for (const { key, value } of container.items)
    if (isScalar(key) && key.value !== 'image') collect(value as Node, String(key.value), finder);
}

function imageOf(node: unknown, where: string, list: PodImage['list'], { what, edits }: Finder): PodImage {
  if (isMap(node))
    throw new BadInput('manifest.image', `manifest ${what}: ${where} names an image in parts: write it in one piece`);
  if (!isScalar(node) || typeof node.value !== 'string')
    throw new BadInput('manifest.image', `manifest ${what}: ${where} has no image: nothing says what it would run`);
  const [start, end] = node.range ?? [0, 0];
  if (node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL)
    throw new BadInput(
      'manifest.image',
      `manifest ${what}: ${where} writes its image as a block: write it on its line`,
    );
  return { image: node.value, where, list, set: (image) => void edits.push({ start, end, text: image }) };
}

function refuseImageVolumes(volumes: Node[], { where, what }: Finder): void {
  if (volumes.some((volume) => isMap(volume) && volume.has('image'))) {
    throw new BadInput(
      'manifest.image_volume',
      `manifest ${what}: ${where} mounts an image as a volume: its content was never judged; copy what it needs into the image`,
    );
  }
}
