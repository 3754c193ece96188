import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ContractFile } from '../contract/contract-file.ts';
import { BadInput } from '../lib/errors.ts';
import { exec } from '../lib/exec.ts';
import { readLayout } from '../registry/layout.ts';
import { type Ran, runScanners, type ScannedImage, type Wanted } from '../scan/run/run.ts';
import type { Context } from './command.ts';
import { ownContract, ownContractPath } from './release.ts';
import { rulesFor } from './rules.ts';

/** What of the inputs says what to scan, and with what. */
export interface Wish {
  environment?: string | undefined;
  tool?: string | undefined;
  checkout: string;
  layout?: string | undefined;
}

/**
 * Runs the scanners that an environment requires by the contract, or one. It holds no key and writes no evidence: it runs over
 * the caller's files. `scratch` is an empty folder that the caller removes.
 */
export async function scanNow(wish: Wish, scratch: string, context: Context): Promise<Ran[]> {
  const contract = ownContract(context.home).file;
  const beside = dirname(resolve(ownContractPath(context.home)));
  return await runScanners(
    {
      wanted: wantedBy(wish, contract, beside),
      checkout: resolve(wish.checkout),
      images: wish.layout === undefined ? [] : imagesOf(resolve(wish.layout), scratch),
    },
    {
      exec,
      now: context.now,
      path: context.env.PATH ?? '',
      home: context.env.HOME ?? scratch,
      progress: context.progress,
    },
  );
}

/** For each required category the first tool that the contract allows: it is the platform team's choice, in their order. */
function wantedBy({ environment, tool }: Wish, contract: ContractFile, beside: string): Wanted[] {
  const { scanners } = contract;
  const all = Object.values(scanners).flatMap((scanner) => scanner?.tools ?? []);
  if (tool !== undefined) {
    const named = all.find(({ name }) => name === tool);
    if (named === undefined)
      throw new BadInput('scan.tool', `contract.yml allows no tool ${tool}: nothing that it finds would count`);
    return [wanted(named, beside)];
  }
  if (environment === undefined)
    throw new BadInput('inputs.environment', 'phase run needs --environment, which requires scans, or --tool');
  return rulesFor(environment, contract).required.flatMap((category) => {
    const [first] = scanners[category]?.tools ?? [];
    return first === undefined ? [] : [wanted(first, beside)];
  });
}

type Tool = NonNullable<ContractFile['scanners']['sast']>['tools'][number];
function wanted({ name, rules, offline }: Tool, beside: string): Wanted {
  return { tool: name, rules: rules === undefined ? null : resolve(beside, rules), offline };
}

/** A layout for each image: scanners pick one platform of an index and say nothing of the others. */
function imagesOf(folder: string, scratch: string): ScannedImage[] {
  const { top, children } = readLayout(folder);
  if (children.length === 0) return [{ layout: folder, digest: top.descriptor.digest, platform: null }];
  return children
    .filter(({ platform }) => platform !== null)
    .map(({ descriptor, platform }) => {
      const layout = mkdtempSync(join(scratch, 'image-'));
      symlinkSync(join(folder, 'blobs'), join(layout, 'blobs'));
      writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
      writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
      return { layout, digest: descriptor.digest, platform: (platform as string).replaceAll('/', '-') };
    });
}
