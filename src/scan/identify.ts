import type { Conventions, Tool } from './reading.ts';
import { tools } from './tools/index.ts';
import { conventionsOf } from './tools/sarif-tools.ts';

const BY_NAME = new Map(tools.map((tool) => [tool.name, tool]));

/** The readers' names, as `--tool` takes them; SARIF may also be handed in under the name of the tool that wrote it. */
export const toolNames: readonly string[] = [...BY_NAME.keys()];

/** `writtenBy`: the tools that certainly wrote it, where that is not what the caller says. */
export type Identified = { reader: Tool; writtenBy: null } | { reader: null; writtenBy: string[] };

/**
 * The reader for a document. `named` is what the caller says wrote it. What is certainly another tool's is not read as the
 * named one's, and what could be anybody's (`[]`) needs a name.
 */
export function identify(document: unknown, named: string | null): Identified {
  const certain = tools.filter((tool) => tool.claims(document) === 'certain');
  const names = certain.map((tool) => tool.name);
  if (named === null) {
    return certain.length === 1 ? { reader: certain[0] as Tool, writtenBy: null } : { reader: null, writtenBy: names };
  }
  const right = certain.find((tool) => tool.name === named) ?? certain.find((tool) => tool.name === 'sarif');
  if (right !== undefined) return { reader: right, writtenBy: null };
  const possible = certain.length === 0 ? BY_NAME.get(named) : undefined;
  return possible?.claims(document) === 'possible'
    ? { reader: possible, writtenBy: null }
    : { reader: null, writtenBy: names };
}

/** How the command line and exit code of a tool are to be read, whatever format its report has. */
export function conventions(tool: string): Conventions {
  return BY_NAME.get(tool) ?? conventionsOf(tool);
}
