import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Contract } from '../contract/load-contract.ts';
import { problemText } from '../contract/problems.ts';
import { publishKey } from '../evidence/publish-key.ts';
import { publishRegister, type RegisterDraft, readRegister, registerDraft } from '../evidence/register.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, text } from './inputs.ts';
import { ownContract, ownContractPath, runningRelease } from './release.ts';
import { releaseKeys, signerOf, storeOf } from './stage.ts';
import version from './version.generated.json' with { type: 'json' };

const inputs = z.strictObject({
  action: choice(['publish', 'show', 'release'], {
    description:
      'publish: sign the next register; show: verify and print the newest; release: print the entry of the release that runs',
    positional: 0,
  }),
  file: text({
    description: 'publish: the register without its number and time, JSON',
    value: 'FILE',
    cliOnly: true,
  }).optional(),
  key: text({ description: 'publish: private key of role release', value: 'file:KEY.pem', cliOnly: true }).optional(),
});
type Inputs = z.infer<typeof inputs>;

export const register = command({
  name: 'register',
  summary: 'publishes what must change without a new tag: releases, keys, people, agreements, waivers',
  description: [
    'The register is one document signed by role release, numbered without gaps and never changed: a later one takes its place.',
    'publish also puts the contract’s keys into the store, with the windows that the register gives them; a key without an entry',
    'is not in force. The gate refuses a register that is too old, and a store in which one is missing.',
    'Exit code: 0 done, 1 what is there does not verify, 2 bad input, 3 the store did not answer.',
  ].join('\n'),
  examples: [
    { says: 'the entry of this release, for the register’s releases', command: 'gatehouse register release --json' },
    {
      says: 'publish the next register',
      command: 'gatehouse register publish --file register.json --key file:release.pem',
    },
  ],
  inputs,
  run: async (given, context) => {
    const contract = ownContract(context.home);
    const folder = dirname(resolve(ownContractPath(context.home)));
    if (given.action === 'release') return entry(contract, context);
    return given.action === 'publish' ? await publish(given, contract, folder, context) : await show(contract, folder);
  },
});

function entry(contract: Contract, context: Context): Result {
  const release = { version: version.version, commits: [], ...runningRelease(context.home, contract), notAfter: null };
  return { exit: 0, json: release, text: JSON.stringify(release, null, 2) };
}

async function publish(given: Inputs, contract: Contract, folder: string, context: Context): Promise<Result> {
  if (given.file === undefined)
    throw new BadInput('inputs.file', 'publish needs --file: the register without its number and time');
  const draft = readDraft(given.file);
  const signer = signerOf('release', contract, given.key, folder);
  const store = storeOf(contract.file.register.url ?? contract.file.evidence.store, folder);
  const published = await publishRegister(store, signer, draft, context.now());
  const keys = await publishKeys(given, contract, folder, draft);
  return {
    exit: 0,
    json: { ...published, keys },
    text: `register ${published.number} is published (${published.digest})\n  ${published.key}\n${keys.length} keys are in the store: ${keys.join(', ')}`,
  };
}

function readDraft(file: string): RegisterDraft {
  const parsed = registerDraft.safeParse(parseJson(readInput(file, 'register'), `register ${file}`));
  if (parsed.success) return parsed.data;
  throw new BadInput(
    'register.draft',
    `register ${file} does not fit its schema: ${problemText(parsed.error, registerDraft)}; see schemas/register.json (without schema, number and time)`,
  );
}

/** Every contract key with a window in the register goes into the store, once; the register itself carries later changes. */
async function publishKeys(
  { key }: Inputs,
  contract: Contract,
  folder: string,
  draft: RegisterDraft,
): Promise<string[]> {
  const signer = signerOf('release', contract, key, folder);
  const store = storeOf(contract.file.evidence.store, folder);
  const published: string[] = [];
  for (const role of ROLES) {
    for (const { id, public: publicKey, repositories } of contract.file.trust.keys[role] ?? []) {
      const window = draft.keys.find((each) => each.id === id);
      if (window === undefined || (await store.get(`v1/keys/${id}.json`)) !== null) continue;
      await publishKey(store, signer, {
        schema: 'gatehouse/key/1',
        id,
        role,
        publicKey,
        repositories,
        from: window.from,
        until: null,
        revokedAt: null,
      });
      published.push(id);
    }
  }
  return published;
}

/** Roles whose keys sign records; the release key's window stands in the contract, the notary's key in the auditor's trust file. */
const ROLES = ['gate', 'build', 'scan', 'deploy', 'cluster', 'admin', 'emit'] as const;

async function show(contract: Contract, folder: string): Promise<Result> {
  const store = storeOf(contract.file.register.url ?? contract.file.evidence.store, folder);
  const { register, digest } = await readRegister(store, {
    keys: releaseKeys(contract),
    window: contract.file.trust['release-window'],
  });
  return {
    exit: 0,
    json: { digest, register },
    text: `register ${register.number} of ${register.time} verifies (${digest})\n${JSON.stringify(register, null, 2)}`,
  };
}
