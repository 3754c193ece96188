import { problemText } from '../contract/problems.ts';
import { type Trust, trust as trustSchema } from '../contract/trust.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';

/** The keys and the checkpoint that an auditor brings along. Throws BadInput. */
export function readTrust(path: string): Trust {
  const parsed = trustSchema.safeParse(parseJson(readInput(path, 'trust file', 1024 * 1024), `trust file ${path}`));
  if (parsed.success) return parsed.data;
  throw new BadInput(
    'trust.file',
    `trust file ${path} does not fit its schema: ${problemText(parsed.error, trustSchema)}`,
  );
}
