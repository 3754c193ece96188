import * as z from '../lib/zod.ts';
import { command } from './command.ts';
import { whatIf } from './gate-run.ts';
import { optionalText, text } from './inputs.ts';
import { runInputs } from './run-inputs.ts';

export const status = command({
  name: 'status',
  summary: 'says in plain words what an image still lacks to be deployed',
  description: [
    'Asks the gate for stage deploy without recording anything, and lists what fails with what to do about it. It knows no more',
    'than the gate does, so it needs the same: the gate’s place in a trusted job, or in profile local --run and --key of the gate.',
    'Exit code: 0 nothing is missing, 1 something is, 2 bad input, 3 a source did not answer.',
  ].join('\n'),
  examples: [
    {
      says: 'what is missing?',
      command: 'gatehouse status registry.example.org/app/web@sha256:… --environment production --run run.json',
    },
  ],
  inputs: z.strictObject({
    image: text({ description: 'image by digest, registry/repository@sha256:…', positional: 0, value: 'IMAGE@DIGEST' }),
    environment: text({ description: 'environment of contract.yml', value: 'NAME' }),
    target: optionalText({ description: 'where it would go, cluster/namespace/kind/name', value: 'TARGET' }),
    ...runInputs,
  }),
  run: async (given, context) => {
    const decision = await whatIf({ ...given, stage: 'deploy' }, context);
    const missing = decision.reasons.filter(({ outcome }) => outcome === 'fail');
    return {
      exit: missing.length === 0 ? 0 : 1,
      json: {
        image: given.image,
        environment: given.environment,
        ready: missing.length === 0,
        missing: missing.map(({ rule, message, fix }) => ({ rule, message, fix })),
      },
      text:
        missing.length === 0
          ? `${given.image} lacks nothing for ${given.environment}`
          : [
              `${given.image} lacks ${missing.length} for ${given.environment}:`,
              ...missing.flatMap(({ rule, message, fix }) => [`✖ ${rule}: ${message}`, `    ${fix ?? ''}`]),
            ].join('\n'),
    };
  },
});
