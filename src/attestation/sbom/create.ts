/** Makes the SBOM of an image from the bytes of its layers: not from what a build says that it put in. */
import { createHash } from 'node:crypto';
import { digest, filled } from '../../contract/primitives.ts';
import { problemText } from '../../contract/problems.ts';
import { BadInput } from '../../lib/errors.ts';
import { parseTime } from '../../lib/time.ts';
import * as z from '../../lib/zod.ts';
import { graphOf } from './components.ts';
import { type Component, type CycloneDx, properties } from './cyclonedx.ts';
import { takeInventory } from './inventory.ts';
import { type Layer, readLayers } from './layers.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { purl } from './purl.ts';

/** An image of one platform. That its bytes fit its digests is the duty of whoever read it from a registry or a layout. */
export interface ImageContent {
  /** `registry/repository`, without tag or digest. */
  name: string;
  /** Of the manifest. */
  digest: string;
  /** The image configuration, parsed. */
  config: unknown;
  /** In the manifest's order, lowest first. */
  layers: Iterable<Layer> | AsyncIterable<Layer>;
}

export interface SbomOptions {
  /** The version of Gatehouse, for `metadata.tools`. */
  toolVersion: string;
  /** RFC 3339 in UTC. Without it the document carries none, and is the same whenever it is made. */
  timestamp?: string;
  limits?: Partial<Limits>;
}

/**
 * Lists the operating system, the installed packages (dpkg, apk, npm, Python), every ELF executable, and the modules and
 * standard library of Go programs, as a CycloneDX 1.6 document. Equal images give equal documents. What is known to hold
 * packages but is not read (rpm, Java, .NET, old Go) is there as a file with its hash and the property `gatehouse:unread`,
 * and `compositions` then says `incomplete`.
 *
 * Throws BadInput for an image that cannot be read, Denied for one that contradicts its configuration, would write outside
 * of itself or is above a limit.
 */
export async function createSbom(image: ImageContent, options: SbomOptions): Promise<CycloneDx> {
  const config = parseConfig(image);
  const { timestamp, limits, toolVersion } = options;
  if (timestamp !== undefined && parseTime(timestamp) === null) {
    throw new BadInput(
      'sbom.timestamp',
      `the time ${JSON.stringify(timestamp)} is not RFC 3339 in UTC, for example 2026-01-31T08:00:00Z`,
    );
  }
  const root = await readLayers(image.layers, config.rootfs.diff_ids, { ...DEFAULT_LIMITS, ...limits });
  const inventory = takeInventory(root);
  const component = imageComponent(image, config);
  const top = component['bom-ref'];
  const { components, edges } = graphOf(inventory, top);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(image.digest)}`,
    version: 1,
    metadata: {
      ...(timestamp === undefined ? {} : { timestamp }),
      tools: { components: [{ type: 'application', name: 'gatehouse', version: toolVersion }] },
      component,
    },
    components: sorted(components).map(([, each]) => each),
    dependencies: sorted(edges).map(([ref, children]) => ({ ref, dependsOn: [...children].sort() })),
    compositions: [{ aggregate: inventory.unread.length > 0 ? 'incomplete' : 'unknown', assemblies: [top] }],
  };
}

const imageConfig = z.object({
  architecture: filled,
  os: filled,
  variant: z.optional(z.string()),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest) }),
});
type ImageConfig = z.infer<typeof imageConfig>;

function parseConfig({ name, digest: own, config }: ImageContent): ImageConfig {
  const parsed = imageConfig.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new BadInput(
    'sbom.config',
    `the configuration of ${name}@${own} is not that of a container image (${problemText(parsed.error, imageConfig)}); is it an index of several platforms, or another artifact? Name the image of one platform`,
  );
}

function imageComponent({ name, digest: own }: ImageContent, { os, architecture, variant }: ImageConfig): Component {
  const url = purl({
    type: 'oci',
    name: (name.split('/').at(-1) ?? name).toLowerCase(),
    version: own,
    qualifiers: { arch: architecture, repository_url: name },
  });
  const platform = [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
  return { type: 'container', 'bom-ref': url, name, version: own, purl: url, ...properties({ platform }) };
}

function sorted<T>(map: Map<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The namespace of the serial numbers of our SBOMs: a random UUID, chosen once. */
const NAMESPACE = '634f181c-4b03-47df-8d42-205a3f6fd285';

/** The version 5 UUID (RFC 9562, section 5.5) of a digest. */
function uuidOf(text: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(text)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
