/** dpkg's list of installed packages: `var/lib/dpkg/status`, or a file a package in `status.d` (deb-control(5)). */
import { fields, paragraphs } from './fields.ts';
import type { Package } from './package.ts';

/** The packages that are installed, also half: whatever is not known to be gone. */
export function parseDpkgStatus(text: string): Package[] {
  return paragraphs(text).flatMap((paragraph) => {
    const field = fields(paragraph);
    const name = field.get('package');
    const gone = /\b(not-installed|config-files)$/.test(field.get('status') ?? '');
    if (name === undefined || gone) return [];
    return [
      {
        type: 'deb' as const,
        name,
        version: field.get('version') ?? null,
        architecture: field.get('architecture') ?? null,
        source: sourceOf(field.get('source')),
        supplier: field.get('maintainer')?.replace(/\s*<.*/, '') || null,
      },
    ];
  });
}

/** `util-linux (2.38.1-5)` in the file. */
function sourceOf(field: string | undefined): string | null {
  return field?.replace(/\s*\((.*)\)$/, ' $1') ?? null;
}
