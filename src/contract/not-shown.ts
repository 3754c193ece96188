import type { ContractFile } from './contract-file.ts';
import type { Problem } from './problems.ts';

/**
 * What a contract demands and no rule of this release looks at. The schema has these keys, so that contracts can keep their shape.
 * Until something shows that a demand is met it is refused: one that is read and forgotten looks like one that is kept.
 */
export function notShown(file: ContractFile): Problem[] {
  const { trust, evidence, scanners, credentials } = file;
  const found: Problem[] = [];
  const refuse = (path: Problem['path'], why: string) =>
    found.push({ path, message: `this release cannot show that it is kept: ${why}` });

  if (trust.profile !== 'kms' && trust.profile !== 'local')
    refuse(['trust', 'profile'], 'statements are verified by the keys of trust.keys alone, and that is profile kms');
  if (trust.identities !== undefined)
    refuse(['trust', 'identities'], 'nobody signs without a key of trust.keys; leave it out');
  if (evidence['second-store'] !== undefined)
    refuse(['evidence', 'second-store'], 'evidence is written to evidence.store alone; leave it out');
  for (const [category, scanner] of Object.entries(scanners))
    if (scanner?.canary === true)
      refuse(['scanners', category, 'canary'], 'no scan looks for a planted canary; leave it out');
  if (file['break-glass'] !== undefined)
    refuse(['break-glass'], 'nothing is deployed past the gate, whoever asks; leave it out');
  if (credentials.length > 0) refuse(['credentials'], 'nothing notices when one of them ends; leave it out');
  return found;
}
