/** apk's list of installed packages, `lib/apk/db/installed`: lines of one letter, a colon and a value (apk-tools, apk_db). */
import { paragraphs } from './fields.ts';
import type { Package } from './package.ts';

/** The packages of the list; a paragraph without a name is none. */
export function parseApkInstalled(text: string): Package[] {
  return paragraphs(text).flatMap((paragraph) => {
    const field = letters(paragraph);
    const name = field.get('P');
    if (name === undefined) return [];
    const origin = field.get('o');
    return [
      {
        type: 'apk' as const,
        name,
        version: field.get('V') ?? null,
        architecture: field.get('A') ?? null,
        source: origin === undefined || origin === name ? null : origin,
        supplier: field.get('m')?.replace(/\s*<.*/, '') || null,
      },
    ];
  });
}

/** Letters matter in their case here: `P` is the package, `p` what it provides. The package's own lines come first. */
function letters(paragraph: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const letter = line.charAt(0);
    if (line.charAt(1) === ':' && !found.has(letter)) found.set(letter, line.slice(2).trim());
  }
  return found;
}
