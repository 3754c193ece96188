import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Lays a release out as a platform team's fork holds it: dist (of the fresh build), actions, contract.yml beside dist. */
export function layRelease(folder: string, contract = 'contract.yml'): void {
  mkdirSync(folder, { recursive: true });
  cpSync('build/dist', join(folder, 'dist'), { recursive: true });
  cpSync('actions', join(folder, 'actions'), { recursive: true });
  cpSync(contract, join(folder, 'contract.yml'));
}

/** The assembled component project: templates at the root, and the release beside them. */
export function layComponents(folder: string, contract = 'contract.yml'): void {
  layRelease(folder, contract);
  cpSync('gitlab-components/templates', join(folder, 'templates'), { recursive: true });
}
