import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '../../scripts/build.ts';
import { generated, stale } from '../../scripts/generate.ts';
import { compilePolicy } from '../../scripts/policy.ts';
import { rulesOf } from '../../src/contract/gate-rules.ts';
import { ENGINE } from '../../src/gate/policy.ts';
import { itWith } from '../support/tools.ts';

describe('generated files', () => {
  it('are current, and nothing else lies among them', async () => {
    const files = await generated();
    expect(Object.keys(files).length).toBeGreaterThan(10);
    expect(stale(files)).toEqual([]);
  });

  it('a changed, a missing and a left-over file are found', () => {
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-generated-'));
    mkdirSync(join(root, 'schemas'));
    for (const name of ['same', 'changed', 'left']) writeFileSync(join(root, 'schemas', `${name}.json`), name);
    const files = { 'schemas/same.json': 'same', 'schemas/changed.json': 'new', 'schemas/missing.json': 'missing' };
    expect(stale(files, root)).toEqual(['schemas/changed.json', 'schemas/missing.json', 'schemas/left.json']);
    rmSync(root, { recursive: true });
  });

  itWith('opa')('include the policy: a fresh compilation of policies/gate has the bytes of gate.wasm', () => {
    expect(compilePolicy().equals(readFileSync('policies/gate.wasm'))).toBe(true);
  });

  itWith('opa')('a rule that was changed without compiling is found', () => {
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
    cpSync('policies', join(root, 'policies'), { recursive: true });
    expect(compilePolicy(root).equals(readFileSync('policies/gate.wasm'))).toBe(true);
    const rule = join(root, 'policies', 'gate', 'approval.rego');
    writeFileSync(
      rule,
      readFileSync(rule, 'utf8').replace('approval.state == "approved"', 'approval.state != "rejected"'),
    );
    expect(compilePolicy(root).equals(readFileSync('policies/gate.wasm'))).toBe(false);
    rmSync(root, { recursive: true });
  });
});

describe('what belongs together', () => {
  it('the rules of the policy are those of the control map', () => {
    const catalogue = readFileSync('policies/gate/catalogue.rego', 'utf8');
    const rules = [...catalogue.matchAll(/^\t"([a-z._]+)": \{$/gm)].map((match) => match[1]);
    expect(rules.toSorted()).toEqual([...new Set([...rulesOf('promote'), ...rulesOf('deploy')])].toSorted());
  });

  it('the engine named in decisions is the one that is installed', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(ENGINE).toBe(`opa-wasm ${dependencies['@open-policy-agent/opa-wasm']}`);
  });
});

it('a changed, a new and a removed file of dist are all found', () => {
  const [a, b] = [mkdtempSync(join(tmpdir(), 'gatehouse-a-')), mkdtempSync(join(tmpdir(), 'gatehouse-b-'))];
  try {
    for (const file of ['same.js', 'changed.js', 'gone.js']) writeFileSync(join(a, file), file);
    for (const [file, text] of [
      ['same.js', 'same.js'],
      ['changed.js', 'x'],
      ['new.js', 'new.js'],
    ] as const)
      writeFileSync(join(b, file), text);
    expect(differences(a, b)).toEqual(['changed.js', 'gone.js', 'new.js']);
  } finally {
    for (const folder of [a, b]) rmSync(folder, { recursive: true });
  }
});

it('CI asks whether dist is what its source builds to', () => {
  expect(readFileSync('.ci/run', 'utf8')).toMatch(/^npm run --silent build -- --check$/m);
});
