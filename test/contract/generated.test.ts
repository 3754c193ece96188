import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '../../scripts/build.ts';
import { generated } from '../../scripts/generate.ts';
import { compilePolicy } from '../../scripts/policy.ts';
import { rulesOf } from '../../src/contract/gate-rules.ts';
import { ENGINE } from '../../src/gate/policy.ts';
import { itWith } from '../support/tools.ts';

describe('generated files', () => {
  it('are current', async () => {
    const files = Object.entries(await generated());
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter(([path, content]) => readFileSync(path, 'utf8') !== content).map(([path]) => path)).toEqual([]);
  });

  it('leave no schema behind that nothing generates', async () => {
    const paths = Object.keys(await generated());
    expect(readdirSync('schemas').filter((file) => !paths.includes(`schemas/${file}`))).toEqual([]);
  });

  itWith('opa')('include the policy: a fresh compilation of policies/gate has the bytes of gate.wasm', () => {
    expect(compilePolicy().equals(readFileSync('policies/gate.wasm'))).toBe(true);
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
