import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadContract } from '../../src/contract/load-contract.ts';
import { loadPolicy } from '../../src/gate/policy.ts';
import { cases, factsOf } from '../fixtures/gate/cases.ts';
import { NOW } from '../fixtures/gate/facts.ts';
import { run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);
const itOpa = itWith('opa');

describe('the compiled policy', () => {
  itOpa('gives what opa eval gives, word for word, on every case', () => {
    const policy = loadPolicy(readFileSync('policies/gate.wasm'));
    const contract = loadContract('test/fixtures/gate/contract.yml').policy;
    const folder = sandbox.folder('opa');
    // One call for all cases: the inputs are data, and the query evaluates the package with each of them.
    const inputs = cases.map((each) => ({ facts: factsOf(each), contract, now: NOW }));
    writeFileSync(join(folder, 'inputs.json'), JSON.stringify({ inputs }));
    const query = '[result | some each in data.inputs; result := data.gatehouse.gate.result with input as each]';
    const { stdout, stderr, code } = run(toolPath('opa'), [
      'eval',
      '--format',
      'json',
      '-d',
      'policies/gate',
      '-d',
      join(folder, 'inputs.json'),
      query,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const expected = JSON.parse(stdout).result[0].expressions[0].value;
    expect(expected.length).toBe(cases.length);
    const byRule = (answer: ReturnType<typeof policy.evaluate>) => ({
      ...answer,
      reasons: answer.reasons.toSorted((a, b) => (a.rule < b.rule ? -1 : 1)),
    });
    expect(inputs.map((input) => byRule(policy.evaluate(input)))).toEqual(expected.map(byRule));
  });
});
