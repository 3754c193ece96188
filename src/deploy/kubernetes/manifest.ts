import type { Target } from '../../contract/target.ts';
import { BadInput } from '../../lib/errors.ts';
import { parseYaml } from '../../lib/yaml.ts';
import type { Image } from '../gitops.ts';
import { changeManifest } from '../plain-manifest.ts';
import { readManifest } from '../pod-images.ts';
import type { Manifest } from './judged-manifest.ts';
import { kindOf } from './kinds.ts';

/** A workload as it is sent: what the manifest says, and nothing else. */
export interface SentObject {
  apiVersion: string;
  kind: string;
  metadata: object;
  [name: string]: unknown;
}

/**
 * The one object of a manifest, the target’s workload, with every image at the decided digest. It is sent as it was understood here,
 * as JSON, so that the server cannot read the YAML otherwise. Throws DeployRefused for what was not decided, else BadInput.
 */
export function readObject({ file, bytes }: Manifest, image: Image, target: Target): SentObject {
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
