/** Turns what is in an image into CycloneDX components and what hangs on what. */

import { type Component, properties } from './cyclonedx.ts';
import type { GoBuild, GoModule } from './go-binary.ts';
import type { Inventory } from './inventory.ts';
import type { OperatingSystem } from './os-release.ts';
import type { Package } from './package.ts';
import { purl } from './purl.ts';

/** Components by their reference, and the references that each one brings with it. */
export interface Graph {
  components: Map<string, Component>;
  edges: Map<string, Set<string>>;
}

/** The graph below the image, whose own reference is `top`. */
export function graphOf(inventory: Inventory, top: string): Graph {
  const graph: Graph = { components: new Map(), edges: new Map() };
  const os = inventory.os === null ? null : add(graph, top, osComponent(inventory.os));
  for (const { package: each, path } of inventory.packages) {
    const ofSystem = each.type === 'deb' || each.type === 'apk';
    add(graph, ofSystem ? (os ?? top) : top, packageComponent(each, path, inventory.os));
  }
  const reasons = new Map(inventory.unread.map(({ path, reason }) => [path, reason]));
  for (const { path, sha256, go } of inventory.executables) {
    if (go === null || typeof go === 'string') add(graph, top, fileComponent(path, sha256, reasons.get(path) ?? null));
    else addGoProgram(graph, top, path, sha256, go);
  }
  for (const { path, sha256, reason } of inventory.unread) add(graph, top, fileComponent(path, sha256, reason));
  return graph;
}

/** A component that is there already is found at one more place, perhaps with other properties. Returns its reference. */
function add(graph: Graph, parent: string, component: Component): string {
  const ref = component['bom-ref'];
  const before = graph.components.get(ref);
  graph.components.set(ref, before === undefined ? component : merge(before, component));
  graph.edges.set(parent, (graph.edges.get(parent) ?? new Set()).add(ref));
  return ref;
}

function merge(one: Component, other: Component): Component {
  const occurrences = union([one, other].flatMap((each) => each.evidence?.occurrences ?? []));
  const facts = union([one, other].flatMap((each) => each.properties ?? []));
  return {
    ...one,
    ...(facts.length === 0 ? {} : { properties: facts }),
    ...(occurrences.length === 0 ? {} : { evidence: { occurrences } }),
  };
}

/** Without repetitions, in the order of their text. */
function union<T extends object>(parts: readonly T[]): T[] {
  const byText = new Map(parts.map((part) => [JSON.stringify(part), part]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
}

function osComponent({ id, version, name }: OperatingSystem): Component {
  return {
    type: 'operating-system',
    'bom-ref': `os:${distroOf(id, version)}`,
    name: id,
    ...(version === null ? {} : { version }),
    ...(name === null ? {} : { description: name }),
  };
}

function packageComponent(each: Package, path: string, os: OperatingSystem | null): Component {
  const { type, name, version, architecture, source, supplier } = each;
  const ofSystem = type === 'deb' || type === 'apk';
  const scope = /^(@[^/]+)\/(.+)$/.exec(name);
  const url = purl({
    type,
    namespace: ofSystem ? (os?.id ?? null) : (scope?.[1] ?? null),
    name: scope?.[2] ?? name,
    version,
    qualifiers: ofSystem ? { arch: architecture, distro: os === null ? null : distroOf(os.id, os.version) } : {},
  });
  return {
    type: 'library',
    'bom-ref': url,
    ...(supplier === null ? {} : { supplier: { name: supplier } }),
    name,
    ...(version === null ? {} : { version }),
    purl: url,
    ...properties({ sourcePackage: source }),
    evidence: { occurrences: [{ location: `/${path}` }] },
  };
}

function addGoProgram(graph: Graph, top: string, path: string, sha256: string, go: GoBuild): void {
  const own = go.main === null ? {} : { purl: moduleComponent(go.main, path)['bom-ref'] };
  const version = releaseOf(go.main);
  const program = add(graph, top, {
    type: 'application',
    'bom-ref': `file:/${path}`,
    name: go.main?.path ?? path,
    ...(version === null ? {} : { version }),
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    ...own,
    evidence: { occurrences: [{ location: `/${path}` }] },
  });
  const library: GoModule = { path: 'stdlib', version: `v${go.toolchain}`, sum: '', insteadOf: null };
  for (const module of [library, ...go.dependencies]) add(graph, program, moduleComponent(module, path));
}

function moduleComponent(module: GoModule, path: string): Component {
  const version = releaseOf(module);
  const parts = module.path.split('/');
  const url = purl({ type: 'golang', namespace: parts.slice(0, -1).join('/'), name: parts.at(-1) ?? '', version });
  return {
    type: 'library',
    'bom-ref': url,
    name: module.path,
    ...(version === null ? {} : { version }),
    purl: url,
    ...properties({ goSum: module.sum, insteadOf: module.insteadOf }),
    evidence: { occurrences: [{ location: `/${path}` }] },
  };
}

/** `(devel)` says only that it was built from a folder, which is no version. */
function releaseOf(module: GoModule | null): string | null {
  return module === null || module.version === '' || module.version === '(devel)' ? null : module.version;
}

function fileComponent(path: string, sha256: string | null, unread: string | null): Component {
  return {
    type: 'file',
    'bom-ref': `file:/${path}`,
    name: `/${path}`,
    ...(sha256 === null ? {} : { hashes: [{ alg: 'SHA-256' as const, content: sha256 }] }),
    ...properties({ unread }),
  };
}

function distroOf(id: string, version: string | null): string {
  return version === null ? id : `${id}-${version}`;
}
