/**
 * Compiles policies/gate to policies/gate.wasm with the pinned opa. Built-ins that the Wasm evaluator lacks are refused at
 * compile time, with file and line. `--check` compiles elsewhere and compares: opa build is deterministic.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, installCommand } from './tools/find.ts';

const WASM = 'policies/gate.wasm';

/** The bytes that policies/gate below `root` compiles to. Throws with opa's message, or when opa is not installed. */
export function compilePolicy(root = '.'): Buffer {
  const opa = findTool('opa');
  if (opa === null) throw new Error(`opa is not installed: ${installCommand('opa')}`);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
  try {
    const capabilities = join(folder, 'capabilities.json');
    writeFileSync(capabilities, JSON.stringify(wasmCapabilities(opa)));
    const bundle = join(folder, 'bundle.tar.gz');
    const { status, stdout } = spawnSync(
      opa,
      [
        'build',
        '-t',
        'wasm',
        '-e',
        'gatehouse/gate/result',
        '--capabilities',
        capabilities,
        '-o',
        bundle,
        'policies/gate',
      ],
      { encoding: 'utf8', cwd: root },
    );
    if (status !== 0) throw new Error(`policies/gate does not compile:\n${stdout}`);
    return execFileSync('tar', ['-xzOPf', bundle, '/policy.wasm'], { maxBuffer: 64 * 1024 * 1024 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** This opa's capabilities, with only those built-ins that the npm evaluator has. */
function wasmCapabilities(opa: string): object {
  const current = JSON.parse(execFileSync(opa, ['capabilities', '--current'], { encoding: 'utf8' }));
  const evaluator = JSON.parse(readFileSync('node_modules/@open-policy-agent/opa-wasm/capabilities.json', 'utf8'));
  const known = new Set(evaluator.builtins.map((builtin: { name: string }) => builtin.name));
  return { ...current, builtins: current.builtins.filter((builtin: { name: string }) => known.has(builtin.name)) };
}

if (process.argv[1]?.endsWith('policy.ts')) {
  const built = compilePolicy();
  if (process.argv.includes('--check')) {
    const same = built.equals(readFileSync(WASM));
    console.log(
      same ? `${WASM} is current` : `${WASM} is not what policies/gate compiles to: run node scripts/policy.ts`,
    );
    process.exitCode = same ? 0 : 1;
  } else {
    writeFileSync(WASM, built);
    console.log(`${WASM}: ${built.length} bytes`);
  }
}
