import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * STAND-INS for scanners: programs of their names that answer what a test lays down and write their arguments beside. They
 * show what we do with a scanner; what the real ones do is tested with the real ones.
 */
export function standIns(
  folder: string,
  answers: Record<string, { says: string; exit?: number; version?: string }>,
): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, { says, exit = 0, version = '9.8.7' }] of Object.entries(answers)) {
    writeFileSync(join(folder, `${name}.answer`), says);
    writeFileSync(
      join(folder, name),
      `#!/bin/sh
case "$*" in version|--version) echo "${name} ${version}"; exit 0;; esac
{ pwd; printf '%s\\n' "$@"; } > '${join(folder, name)}.called'
cat '${join(folder, name)}.answer'
exit ${exit}
`,
    );
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}
