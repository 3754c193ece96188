export { createSbom, type ImageContent, type SbomOptions } from './create.ts';
export type { CycloneDx } from './cyclonedx.ts';
export type { Layer } from './layers.ts';
