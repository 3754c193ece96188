import { type Document, isMap, isNode, LineCounter } from 'yaml';
import { digestOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseYaml } from '../lib/yaml.ts';
import { keyProblems } from './check-keys.ts';
import { type ContractFile, contractFile } from './contract-file.ts';
import { notShown } from './not-shown.ts';
import { type PolicyContract, policyContract } from './policy-contract.ts';
import { type Problem, pathText, problemsOf } from './problems.ts';

/** A contract that fits its schema: as written, as the policy sees it, and the digest of the very bytes. */
export interface Contract {
  file: ContractFile;
  policy: PolicyContract;
  digest: string;
  bytes: Buffer;
}

/**
 * Reads contract.yml to judge by it. Throws BadInput (exit 2) naming line, path and what to do for each problem, also for a demand
 * that this release cannot show to be kept.
 */
export function loadContract(path: string): Contract {
  return contractOf(readInput(path, 'contract', 1024 * 1024), path, notShown);
}

/** The same from the bytes that a record holds: what it demands was for the release of then to keep. `what` names them in errors. */
export function parseContract(bytes: Buffer, what: string): Contract {
  return contractOf(bytes, what, () => []);
}

function contractOf(bytes: Buffer, what: string, demandProblems: (file: ContractFile) => Problem[]): Contract {
  const lines = new LineCounter();
  const named = { what: `contract ${what}`, code: 'contract.yaml' };
  const { documents } = parseYaml(bytes, named, { lineCounter: lines });
  if (documents.length > 1)
    throw new BadInput(named.code, `contract ${what} holds ${documents.length} YAML documents: a contract is one`);
  const [document] = documents;
  if (document === undefined || !isMap(document.contents))
    throw new BadInput(
      named.code,
      `contract ${what} ${(document?.toJS() ?? null) === null ? 'is empty' : 'is no map of keys and values'}: nothing is judged without a contract; begin with the contract.yml of this release, and see docs/fork.md`,
    );
  const parsed = contractFile.safeParse(document.toJS());
  const problems = parsed.success
    ? [...keyProblems(parsed.data), ...demandProblems(parsed.data)]
    : problemsOf(parsed.error, contractFile);
  if (!parsed.success || problems.length > 0)
    throw invalid(what, problems, (problem) => lineOf(document, lines, problem));
  return { file: parsed.data, policy: policyContract(parsed.data), digest: digestOf(bytes), bytes };
}

function invalid(what: string, problems: Problem[], line: (problem: Problem) => number | null): BadInput {
  const texts = problems.map((problem) => {
    const at = line(problem);
    return `  ${what}${at === null ? '' : `:${at}`}: ${pathText(problem.path)}: ${problem.message}`;
  });
  const noun = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new BadInput(
    'contract.invalid',
    `contract ${what} has ${noun}; nothing is judged by a contract that is not understood:\n${texts.join('\n')}`,
  );
}

/** The line of the node at a problem's path, or of its nearest parent. */
function lineOf(document: Document, lines: LineCounter, problem: Problem): number | null {
  for (let depth = problem.path.length; depth >= 0; depth--) {
    const node = document.getIn(problem.path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}
