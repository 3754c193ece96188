export { type FolderReport, readFolder } from './folder.ts';
export { toolNames } from './identify.ts';
export { type NormaliseInput, normalise, type Origin } from './normalise.ts';
export { readSidecar, type Sidecar, type ToolRun } from './sidecar.ts';
