import type { ContractFile } from '../contract/contract-file.ts';
import { BadInput } from '../lib/errors.ts';

/** What contract.yml demands of an environment that an input names. Throws BadInput for one that it does not have. */
export function rulesFor(environment: string, { environments }: ContractFile): ContractFile['environments'][string] {
  const rules = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (rules !== undefined) return rules;
  throw new BadInput(
    'inputs.environment',
    `contract.yml has no environment ${environment}; it has ${Object.keys(environments).join(', ')}`,
  );
}
