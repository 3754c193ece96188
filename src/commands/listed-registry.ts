import type { Contract } from '../contract/load-contract.ts';
import { Denied } from '../lib/errors.ts';

/**
 * Throws Denied unless the image `registry/repository` is in a registry that the contract lists: nothing is pushed or attached
 * anywhere else, and no other is asked with a job's credentials, whatever an input says.
 */
export function requireListed(image: string, { file: { registries } }: Contract): void {
  if (registries.some((registry) => image.startsWith(`${registry}/`))) return;
  throw new Denied(
    'registry.not_listed',
    `${image} is not in a registry of contract.yml (${registries.join(', ')}): nothing was sent there; push to a listed one, or have the platform team list this one`,
  );
}
