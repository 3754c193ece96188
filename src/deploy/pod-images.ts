import { type Document, isMap, isScalar, isSeq, type Node, parseAllDocuments, type YAMLMap } from 'yaml';
import { BadInput } from '../lib/errors.ts';

/** One image of a manifest: the YAML scalar that holds it, so that it can be replaced without touching the rest. */
export interface PodImage {
  image: string;
  /** `Deployment web/sample, containers[0]`, for messages. */
  where: string;
  set(image: string): void;
}

/** A Kubernetes object of a manifest. */
export interface Workload {
  kind: string;
  namespace: string | null;
  name: string;
}

export interface Manifest {
  workloads: Workload[];
  images: PodImage[];
  /** The manifest with the images as they are set now; comments and layout stay. */
  text(): string;
}

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];

/**
 * Reads a Kubernetes manifest and finds every image that it would run: in each list of containers, at any depth of any kind, so
 * that no kind is forgotten. Throws BadInput for broken YAML, for a container without an image, and for image volumes, which run
 * nothing but bring in content that nobody judged.
 */
export function readManifest(bytes: Buffer, what: string): Manifest {
  const documents = parseAllDocuments(bytes.toString('utf8'), { uniqueKeys: true }) as Document.Parsed[];
  const broken = documents.flatMap(({ errors }) => errors)[0];
  if (broken !== undefined)
    throw new BadInput('manifest.yaml', `manifest ${what} is not YAML: ${broken.message.split('\n')[0]}`, broken);
  const objects = documents.filter(({ contents }) => contents !== null);
  const images: PodImage[] = [];
  const workloads = objects.map((document) => {
    const workload = workloadOf(document, what);
    collect(document.contents as Node, `${workload.kind} ${workload.name}`, images, what);
    return workload;
  });
  return { workloads, images, text: () => documents.map(String).join('---\n') };
}

function workloadOf(document: Document.Parsed, what: string): Workload {
  const text = (path: string[]) => {
    const value = document.getIn(path);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const [kind, name] = [text(['kind']), text(['metadata', 'name'])];
  if (kind === null || name === null)
    throw new BadInput(
      'manifest.object',
      `manifest ${what} has an object without kind or metadata.name: it is no Kubernetes manifest`,
    );
  return { kind, name, namespace: text(['metadata', 'namespace']) };
}

function collect(node: Node | null, where: string, images: PodImage[], what: string): void {
  if (isSeq(node)) for (const item of node.items) collect(item as Node, where, images, what);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : '';
    if (CONTAINERS.includes(name) && isSeq(value))
      value.items.forEach((item, i) => void images.push(imageOf(item as Node, `${where}, ${name}[${i}]`, what)));
    if (name === 'volumes' && isSeq(value)) refuseImageVolumes(value.items as Node[], where, what);
    collect(value as Node, where, images, what);
  }
}

function imageOf(container: Node, where: string, what: string): PodImage {
  const scalar = isMap(container) ? (container as YAMLMap).get('image', true) : null;
  if (!isScalar(scalar) || typeof scalar.value !== 'string')
    throw new BadInput('manifest.image', `manifest ${what}: ${where} has no image: nothing says what it would run`);
  return {
    image: scalar.value,
    where,
    set: (image) => {
      scalar.value = image;
    },
  };
}

function refuseImageVolumes(volumes: Node[], where: string, what: string): void {
  if (volumes.some((volume) => isMap(volume) && volume.has('image'))) {
    throw new BadInput(
      'manifest.image_volume',
      `manifest ${what}: ${where} mounts an image as a volume: its content was never judged; copy what it needs into the image`,
    );
  }
}
