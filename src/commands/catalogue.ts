import type { Command } from './command.ts';

/** Every verb and where it lives; a verb's module is loaded only when it runs. The first five are actions and components too. */
export const commands: Record<string, () => Promise<Command>> = {
  'build-sign': async () => (await import('./build-sign.ts')).buildSign,
  scan: async () => (await import('./scan.ts')).scan,
  'evidence-emit': async () => (await import('./evidence-emit.ts')).evidenceEmit,
  'policy-gate': async () => (await import('./policy-gate.ts')).policyGate,
  'deploy-by-digest': async () => (await import('./deploy-by-digest.ts')).deployByDigest,
  collect: async () => (await import('./collect.ts')).collect,
  verify: async () => (await import('./verify.ts')).verify,
  register: async () => (await import('./register.ts')).register,
  contract: async () => (await import('./contract.ts')).contract,
  admission: async () => (await import('./admission.ts')).admission,
  ledger: async () => (await import('./ledger.ts')).ledger,
  audit: async () => (await import('./audit.ts')).audit,
  replay: async () => (await import('./replay.ts')).replay,
  status: async () => (await import('./status.ts')).status,
  doctor: async () => (await import('./doctor.ts')).doctor,
  demo: async () => (await import('./demo.ts')).demo,
};
