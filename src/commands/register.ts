import { dirname, resolve } from 'node:path';
import type { Signer } from '../attestation/signer.ts';
import { publicKey, spki } from '../contract/key-type.ts';
import type { Contract } from '../contract/load-contract.ts';
import { problemText } from '../contract/problems.ts';
import { readLedgerKeys } from '../evidence/ledger-keys.ts';
import { publishKey } from '../evidence/publish-key.ts';
import { publishRegister, type RegisterDraft, readRegister, registerDraft } from '../evidence/register.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { plural } from '../lib/plural.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import { type Context, command, type Result } from './command.ts';
import { requireUnbentEnvironment } from './environment.ts';
import { choice, optionalText } from './inputs.ts';
import { ownContract, ownContractPath, runningRelease } from './release.ts';
import { releaseKeys, signerOf, storeOf } from './stage.ts';
import version from './version.generated.json' with { type: 'json' };

const inputs = z.strictObject({
  action: choice(['publish', 'show', 'release'], {
    description:
      'publish: sign the next register; show: verify and print the newest; release: print the entry of the release that runs',
    positional: 0,
  }),
  file: optionalText({
    description: 'publish: the register without its number and time, JSON',
    value: 'FILE',
    cliOnly: true,
  }),
  key: optionalText({ description: 'publish: private key of role release', value: 'file:KEY.pem', cliOnly: true }),
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
    const register = storeOf(contract.file.register.url ?? contract.file.evidence.store, folder, context.env);
    return given.action === 'publish'
      ? await publish(given, contract, folder, register, context)
      : await show(contract, register);
  },
});

function entry(contract: Contract, context: Context): Result {
  const release = { version: version.version, commits: [], ...runningRelease(context.home, contract), notAfter: null };
  return { exit: 0, json: release, text: JSON.stringify(release, null, 2) };
}

async function publish(
  given: Inputs,
  contract: Contract,
  folder: string,
  register: Store,
  context: Context,
): Promise<Result> {
  if (given.file === undefined)
    throw new BadInput('inputs.file', 'publish needs --file: the register without its number and time');
  requireUnbentEnvironment(context.env);
  const draft = readDraft(given.file);
  requireWindow(contract, context.now());
  const signer = signerOf('release', contract, given.key, folder, context.env);
  const evidence = storeOf(contract.file.evidence.store, folder, context.env);
  await requireSameKeys(contract, evidence);
  const published = await publishRegister(register, signer, draft, context.now());
  const keys = await publishKeys(evidence, signer, contract, draft);
  return {
    exit: 0,
    json: { ...published, keys },
    text: `register ${published.number} is published (${published.digest})\n  ${published.key}\nin the store are ${plural(keys.length, 'key')}: ${keys.join(', ')}`,
  };
}

function readDraft(file: string): RegisterDraft {
  const parsed = registerDraft.safeParse(parseJson(readInput(file, 'register'), `register ${file}`));
  if (parsed.success && /^v?\d+\.\d+\.\d+$/.test(parsed.data.minimumVersion)) return parsed.data;
  if (parsed.success)
    throw new BadInput(
      'register.draft',
      `register ${file}: minimumVersion ${parsed.data.minimumVersion} is no version such as 1.4.0: no release would reach it`,
    );
  throw new BadInput(
    'register.draft',
    `register ${file} does not fit its schema: ${problemText(parsed.error, registerDraft)}; see schemas/register.json (without schema, number and time)`,
  );
}

/** A register that no reader takes could not be taken back: the next number would be needed to go on. */
function requireWindow(contract: Contract, now: number): void {
  const { from, until } = contract.file.trust['release-window'];
  if (now >= (parseTime(from) as number) && now < (parseTime(until) as number)) return;
  throw new BadInput(
    'register.window',
    `the release key's window (trust.release-window, ${from} to ${until}) does not contain ${formatTime(now)}: every reader would refuse this register; renew the key or its window in contract.yml`,
  );
}

/** What is in the store stays there: under the id of an older key a new one would sign what nobody can verify. */
async function requireSameKeys(contract: Contract, evidence: Store): Promise<void> {
  const pems = releaseKeys(contract).map((key) => key.publicKeyPem);
  const { keys } = await readLedgerKeys(evidence, pems);
  const bytesOf = (pem: string) => spki(publicKey(pem, 'key'));
  for (const role of ROLES) {
    for (const { id, public: pem } of contract.file.trust.keys[role] ?? []) {
      const stored = keys.find((key) => key.id === id);
      if (stored !== undefined && (stored.role !== role || !bytesOf(stored.publicKeyPem).equals(bytesOf(pem))))
        throw new BadInput(
          'register.key_id',
          `key ${id} of role ${role} is another key than the one that the store has under this id: give the new key a new id in contract.yml; nothing was published`,
        );
    }
  }
}

/** Every contract key with a window in the register goes into the store, once; the register itself carries later changes. */
async function publishKeys(store: Store, signer: Signer, contract: Contract, draft: RegisterDraft): Promise<string[]> {
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

async function show(contract: Contract, store: Store): Promise<Result> {
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
