import { dirname, resolve } from 'node:path';
import { BadInput } from '../lib/errors.ts';
import { parseDuration } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import { probeStore } from '../store/probe.ts';
import { PROBE_PREFIX, type StoreFacts } from '../store/store-facts.ts';
import { command, type Result } from './command.ts';
import { type Check, checkStore } from './doctor/store-checks.ts';
import { requireUnbentEnvironment } from './environment.ts';
import { optionalText } from './inputs.ts';
import { ownContract, ownContractPath } from './release.ts';
import { absoluteUrl } from './stage.ts';

export const doctor = command({
  name: 'doctor',
  summary: 'shows by trying whether the evidence store keeps what it is given',
  description: [
    'Puts a small object, puts another one under the same name, puts one with a wrong checksum, and asks the server for its',
    'settings: versions, lock, retention, ownership, lifecycle. Nothing is deleted, so what a delete would do is not tried. Only',
    'what the server showed is reported; what these credentials may not see is unknown, and does not count as held.',
    `Leaves one object of about 150 bytes under ${PROBE_PREFIX}, locked as long as any evidence; two where checksums are not`,
    'verified. A directory is reported as what it is, tamper-evident only: good enough for profile local and nothing else.',
    'Exit code: 0 every demand holds, 1 one does not or cannot be seen, 2 bad input, 3 there is no store to look at.',
  ].join('\n'),
  examples: [
    { says: 'is the store of contract.yml fit for evidence?', command: 'gatehouse doctor' },
    {
      says: 'and this bucket, for seven years?',
      command: "gatehouse doctor --store 's3://evidence/prefix?region=eu-central-1' --retention-years 7",
    },
  ],
  inputs: z.strictObject({
    store: optionalText({
      description: 'the store to look at; without it evidence.store of the contract beside this program',
      value: 'URL',
      cliOnly: true,
    }),
    'retention-years': optionalText({
      description: 'calendar years that evidence is kept; without it evidence.retention-years of the contract',
      value: 'YEARS',
      cliOnly: true,
    }),
  }),
  run: async (given, context) => {
    requireUnbentEnvironment(context.env);
    const { file } = ownContract(context.home);
    const url = given.store ?? absoluteUrl(file.evidence.store, dirname(resolve(ownContractPath(context.home))));
    const years = yearsOf(given['retention-years'] ?? String(file.evidence['retention-years']));
    const facts = await probeStore(url, context.env, context.now);
    const checks = checkStore(facts, {
      years,
      lockOptional: file.trust.profile === 'local',
      skew: parseDuration(file.trust['max-skew']) as number,
      now: context.now(),
    });
    return answer(facts, checks, years);
  },
});

function yearsOf(given: string): number {
  if (/^[1-9]\d?$/.test(given)) return Number(given);
  throw new BadInput(
    'inputs.retention_years',
    `retention-years ${JSON.stringify(given)} is not a whole number of years from 1 to 99`,
  );
}

function answer({ url, left }: StoreFacts, checks: Check[], years: number): Result {
  const open = checks.filter(({ status }) => status === 'fails' || status === 'unknown');
  const status = open.length === 0 ? 'fit' : 'unfit';
  return {
    exit: open.length === 0 ? 0 : 1,
    json: { status, store: url, retentionYears: years, checks, left },
    text: [
      `store ${url}`,
      ...table(checks),
      open.length === 0
        ? 'every demand holds'
        : `${open.length} demand${open.length === 1 ? '' : 's'} not shown to hold: evidence would not be safe here; see docs/stores.md`,
      ...left.map((key) => `left behind: ${key}`),
    ].join('\n'),
  };
}

const MARKS = { ok: '✔', weak: '!', fails: '✖', unknown: '?' } as const;

function table(checks: Check[]): string[] {
  const rows = checks.map(({ check, found, needed, status }) => [
    MARKS[status],
    status,
    check,
    found,
    `needed: ${needed}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.flatMap(([mark, status, name, found, needed]) => [
    `${mark} ${status?.padEnd(widths[1] as number)}  ${name?.padEnd(widths[2] as number)}  ${found}`,
    ...(status === 'ok' ? [] : [`${' '.repeat((widths[1] as number) + (widths[2] as number) + 6)}${needed}`]),
  ]);
}
