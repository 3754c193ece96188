import type { Command } from './command.ts';

/** Every verb and where it lives; a verb's module is loaded only when it runs. The first five are actions and components too. */
export const commands: Record<string, () => Promise<Command>> = {
  'policy-gate': async () => (await import('./policy-gate.ts')).policyGate,
  contract: async () => (await import('./contract.ts')).contract,
};
