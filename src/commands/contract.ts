import { join } from 'node:path';
import { loadContract } from '../contract/load-contract.ts';
import { weaknesses } from '../contract/weaknesses.ts';
import { plural } from '../lib/plural.ts';
import * as z from '../lib/zod.ts';
import { command } from './command.ts';
import { choice, optionalText } from './inputs.ts';

export const contract = command({
  name: 'contract',
  summary: 'checks contract.yml and says what it permits that production should not',
  description: [
    'check: reads the contract, names each mistake with its line, and lists what is valid but weak. A weak contract is still',
    'a contract: the list is for the people who answer for it.',
    'Exit code: 0 valid, 2 not valid.',
  ].join('\n'),
  examples: [
    { says: 'is this contract right, and how strong is it?', command: 'gatehouse contract check --file contract.yml' },
  ],
  inputs: z.strictObject({
    action: choice(['check'], { description: 'check: name each mistake and what is weak', positional: 0 }),
    file: optionalText({
      description: 'the contract; without it the one beside this program',
      value: 'FILE',
      cliOnly: true,
    }),
  }),
  run: async (given, context) => {
    const path = given.file ?? join(context.home, '..', 'contract.yml');
    const { file, digest } = loadContract(path);
    const weak = weaknesses(file);
    const lines = weak.map(({ path: at, why }) => `  weak: ${at}: ${why}`);
    return {
      exit: 0,
      json: { status: 'valid', file: path, digest, weak },
      text: [
        `contract ${path} is valid (${digest})`,
        ...lines,
        weak.length === 0
          ? 'nothing in it is weak'
          : `${plural(weak.length, 'weak point')}; each is a choice that somebody answers for`,
      ].join('\n'),
    };
  },
});
