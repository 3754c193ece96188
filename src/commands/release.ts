import { join } from 'node:path';
import { type Contract, loadContract } from '../contract/load-contract.ts';
import type { RunningRelease } from '../facts/release.ts';
import { digestOf } from '../lib/digest.ts';
import { folderDigest, readInput } from '../lib/file.ts';

/** The contract beside the running launcher, part of the same commit; never one from a caller's workspace. */
export function ownContract(home: string): Contract {
  return loadContract(ownContractPath(home));
}

/** Where that contract lies; `home` is the launcher’s folder. */
export function ownContractPath(home: string): string {
  return join(home, '..', 'contract.yml');
}

/** The compiled policy beside the running launcher. */
export function ownPolicyBytes(home: string): Buffer {
  return readInput(join(home, 'gate.wasm'), 'policy');
}

/** SHA-256 over the sorted lines `<sha256>  <name>` of dist: what a register names as this release's program. */
export function distDigest(home: string): string {
  return folderDigest(home, 'program file');
}

/** What runs here, by digest. */
export function runningRelease(home: string, contract: Contract): RunningRelease {
  return {
    distDigest: distDigest(home),
    contractDigest: contract.digest,
    policyDigest: digestOf(ownPolicyBytes(home)),
  };
}
