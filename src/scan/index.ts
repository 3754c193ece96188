export { toolNames } from './identify.ts';
export { type NormaliseInput, normalise, type Origin } from './normalise.ts';
export { readSidecar, type ToolRun } from './sidecar.ts';
