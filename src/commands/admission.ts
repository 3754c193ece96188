import { imagePolicy } from '../admission/policy.ts';
import { loadContract } from '../contract/load-contract.ts';
import * as z from '../lib/zod.ts';
import { command } from './command.ts';
import { choice, optionalText } from './inputs.ts';
import { ownContractPath } from './release.ts';

export const admission = command({
  name: 'admission',
  summary: 'makes a Kubernetes admission policy that refuses images by tag, out of contract.yml',
  description: [
    'policy: prints a ValidatingAdmissionPolicy and its binding for one cluster. In the namespaces of the contract’s targets there,',
    'no object of any kind may bring in an image (container, init or ephemeral container, volume) other than by digest and from the',
    'contract’s registries. The API server judges it itself, so nothing has to run for it. It knows digests, not decisions: what',
    'was decided is for deploy-by-digest. With --json it prints one List, which kubectl takes as well.',
    'Exit code: 0 printed, 2 bad input or contract.',
  ].join('\n'),
  examples: [
    {
      says: 'install the policy in the production cluster',
      command: 'gatehouse admission policy --environment production | kubectl apply -f -',
    },
  ],
  inputs: z.strictObject({
    action: choice(['policy'], {
      description: 'policy: print a ValidatingAdmissionPolicy and its binding',
      positional: 0,
    }),
    environment: optionalText({
      description: 'environment of contract.yml whose targets it protects; without it all of them',
      value: 'NAME',
    }),
    cluster: optionalText({
      description: 'cluster that it is for, by its name in targets; needed where they name several',
      value: 'NAME',
    }),
    file: optionalText({
      description: 'the contract; without it the one beside this program',
      value: 'FILE',
      cliOnly: true,
    }),
  }),
  run: async ({ environment, cluster, file }, context) => {
    const { file: contract } = loadContract(file ?? ownContractPath(context.home));
    const items = imagePolicy(contract, { environment, cluster });
    const { stringify } = await import('yaml');
    return {
      exit: 0,
      json: { apiVersion: 'v1', kind: 'List', items },
      text: items.map((item) => stringify(item, { lineWidth: 0 }).trimEnd()).join('\n---\n'),
    };
  },
});
