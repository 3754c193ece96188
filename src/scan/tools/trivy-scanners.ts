import { optionIn } from '../command-line.ts';
import type { Category } from '../reading.ts';

const BY_DEFAULT = ['vuln', 'secret'];
const SCANNER = new Map<Category, string>([
  ['container', 'vuln'],
  ['sca', 'vuln'],
  ['iac', 'misconfig'],
  ['secrets', 'secret'],
]);

/**
 * Takes out of `covers` what the command line did not switch on: trivy lists an image's packages also when it was told to look for
 * secrets only, and its report then looks like that of a clean vulnerability scan. Without a command line nothing is taken out.
 */
export function switchedOn(covers: readonly Category[], argv: readonly string[]): Category[] {
  if (argv.length === 0) return [...covers];
  const named = optionIn(argv, '--scanners', '--security-checks');
  const configuration = argv.some((word) => word === 'config' || word === 'conf');
  const on = configuration ? ['misconfig'] : (named?.split(',') ?? BY_DEFAULT);
  const scanners = new Set(on.map((name) => (name === 'config' ? 'misconfig' : name.trim())));
  return covers.filter((category) => scanners.has(SCANNER.get(category) ?? ''));
}
