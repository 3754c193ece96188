/** The shape of a CycloneDX 1.6 document, as far as it is written here (ECMA-424; https://cyclonedx.org/docs/1.6/json/). */
export interface CycloneDx {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json';
  bomFormat: 'CycloneDX';
  specVersion: '1.6';
  serialNumber: string;
  version: 1;
  metadata: {
    timestamp?: string;
    tools: { components: { type: 'application'; name: string; version: string }[] };
    component: Component;
  };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
  compositions: { aggregate: 'incomplete' | 'unknown'; assemblies: string[] }[];
}

export interface Component {
  type: 'container' | 'operating-system' | 'application' | 'library' | 'file';
  'bom-ref': string;
  supplier?: { name: string };
  name: string;
  version?: string;
  description?: string;
  hashes?: { alg: 'SHA-256'; content: string }[];
  purl?: string;
  properties?: { name: string; value: string }[];
  /** Where in the image it is. */
  evidence?: { occurrences: { location: string }[] };
}

/** Facts as CycloneDX properties, sorted; nothing where there are none, so that it can be spread into a component. */
export function properties(facts: Record<string, string | null>): Pick<Component, 'properties'> {
  const known = Object.entries(facts).flatMap(([name, value]) =>
    value === null || value === '' ? [] : [{ name: `gatehouse:${name}`, value }],
  );
  return known.length === 0 ? {} : { properties: known.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
