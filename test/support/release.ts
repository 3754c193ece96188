import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assemble } from '../../scripts/assemble.ts';

/** Lays a release out as a platform team's fork holds it: dist (of the fresh build), actions, contract.yml beside dist. */
export function layRelease(folder: string, contract = 'test/fixtures/contract.yml'): void {
  mkdirSync(folder, { recursive: true });
  cpSync('build/dist', join(folder, 'dist'), { recursive: true });
  cpSync('actions', join(folder, 'actions'), { recursive: true });
  cpSync(contract, join(folder, 'contract.yml'));
}

/** The assembled component project, with the fresh build. */
export function layComponents(folder: string, contract = 'test/fixtures/contract.yml'): void {
  assemble({ out: folder, dist: 'build/dist', contract });
}
