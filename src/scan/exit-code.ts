import { plural } from '../lib/plural.ts';
import type { Conventions, Reason } from './reading.ts';

/**
 * What is wrong between a tool's exit code and the findings in its file, or null. The exit code is a second witness and never
 * the only one: with 0 the file may still hold findings, and a well-formed clean file may come from a crash.
 * `blocking`: findings for which the tool ends with its "found something" code.
 */
export function exitReason(
  exitCode: number,
  blocking: number,
  argv: readonly string[],
  conventions: Conventions,
): Reason | null {
  const special = conventions.codes?.get(exitCode);
  if (special !== undefined) {
    return {
      code: special,
      detail: `exit code ${exitCode}: the tool says that there was nothing to scan or that it failed`,
    };
  }
  const found = conventions.foundCode(argv);
  const asked = found !== null && found.code !== 0;
  if (asked && exitCode === found.code) {
    return blocking > 0
      ? null
      : conflict(exitCode, 'says that something was found, but the report holds no such finding');
  }
  if (exitCode === 0) {
    return asked && found.always && blocking > 0
      ? conflict(0, `says that nothing was found, but the report holds ${plural(blocking, 'finding')}`)
      : null;
  }
  return {
    code: 'engine_failed',
    detail: `exit code ${exitCode}: the tool failed, whatever its report says; see its log`,
  };
}

function conflict(exitCode: number, what: string): Reason {
  return {
    code: 'exit_code_conflict',
    detail: `exit code ${exitCode} ${what}: one of them is wrong, or was changed on the way`,
  };
}
