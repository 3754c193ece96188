import { findTool, installCommand } from '../../scripts/tools/find.ts';

/** `it` where every tool is installed; elsewhere a skipped test whose name says what is missing. In CI a skip fails the run. */
export function itWith(...names: string[]) {
  const missing = names.filter((name) => findTool(name) === null);
  if (missing.length === 0) return (name: string, body: () => unknown) => it(name, body as () => Promise<void>);
  return (name: string, body: () => unknown) =>
    it.skip(`${name} (needs ${installCommand(...missing)})`, body as () => Promise<void>);
}

/** The path of an installed tool. Throws where it is absent: `itWith` has skipped the test then. */
export function toolPath(name: string): string {
  const path = findTool(name);
  if (path === null) throw new Error(`${name} is not installed: ${installCommand(name)}`);
  return path;
}

/** The same for a whole `describe`. */
export function describeWith(...names: string[]) {
  const missing = names.filter((name) => findTool(name) === null);
  if (missing.length === 0) return describe;
  return (name: string, body: () => void) => describe.skip(`${name} (needs ${installCommand(...missing)})`, body);
}
