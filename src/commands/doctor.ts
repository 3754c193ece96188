import { dirname, resolve } from 'node:path';
import { BadInput } from '../lib/errors.ts';
import { parseDuration } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import { probeStore } from '../store/probe.ts';
import { PROBE_PREFIX, type StoreFacts } from '../store/store-facts.ts';
import { command, type Result } from './command.ts';
import type { Check } from './doctor/check.ts';
import { checkStore } from './doctor/store-checks.ts';
import { verdict } from './doctor/verdict.ts';
import { requireUnbentEnvironment } from './environment.ts';
import { optionalText, toggle } from './inputs.ts';
import { ownContract, ownContractPath } from './release.ts';
import { absoluteUrl } from './stage.ts';

export const doctor = command({
  name: 'doctor',
  summary: 'shows whether the evidence store keeps what it is given, and what the platform protects',
  description: [
    'Puts a small object, puts another one under the same name, puts one with a wrong checksum, and asks the server for its',
    'settings: versions, lock, retention, ownership, lifecycle. Nothing is deleted, so what a delete would do is not tried. Only',
    'what the server showed is reported; what these credentials may not see is unknown, and does not count as held.',
    `Leaves one object of about 150 bytes under ${PROBE_PREFIX}, locked as long as any evidence; two where checksums are not`,
    'verified. A directory is reported as what it is, tamper-evident only: good enough for profile local and nothing else.',
    'With --platform it looks at no store: it asks the platform of contract.yml what protects the repository with the trusted',
    'workflow (branch, tags, CODEOWNERS, tokens) and the application’s (branch, environments, reviewers, runners). It changes',
    'nothing there. Trust rests on these settings, administrators can change them, and nobody is told: look every day.',
    'The token comes from GATEHOUSE_API_TOKEN. weak holds, and somebody answers for it; see docs/fork.md for each setting.',
    'Exit code: 0 every demand holds, 1 one does not or cannot be seen, 2 bad input, 3 no store or platform answers.',
  ].join('\n'),
  examples: [
    { says: 'is the store of contract.yml fit for evidence?', command: 'gatehouse doctor' },
    {
      says: 'and this bucket, for seven years?',
      command: "gatehouse doctor --store 's3://evidence/prefix?region=eu-central-1' --retention-years 7",
    },
    {
      says: 'does the platform still protect what the promotion of this application rests on?',
      command: 'gatehouse doctor --platform --repository example-health/lab-results --environment production',
    },
  ],
  inputs: z.strictObject({
    platform: toggle({ description: 'look at the platform in place of the store', cliOnly: true }),
    repository: optionalText({
      description: 'with --platform: the application’s repository (GitLab: project with its whole path)',
      value: 'OWNER/NAME',
      cliOnly: true,
    }),
    environment: optionalText({
      description: 'with --platform: the environment of contract.yml; needed where it has several',
      value: 'NAME',
      cliOnly: true,
    }),
    host: optionalText({
      description: 'with --platform: which platform of contract.yml, where it has several',
      value: 'HOST',
      cliOnly: true,
    }),
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
    requireOneQuestion(given);
    const { file } = ownContract(context.home);
    if (given.platform) {
      const { doctorPlatform } = await import('./doctor/platform.ts');
      const { repository, environment, host } = given;
      return await doctorPlatform(file, { repository, environment, host }, context);
    }
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

/** An input that does not belong to the question would be left out without a word. */
function requireOneQuestion({ platform, ...given }: Record<string, unknown>): void {
  const others = platform === true ? ['store', 'retention-years'] : ['repository', 'environment', 'host'];
  const strange = others.filter((name) => given[name] !== undefined);
  if (strange.length > 0)
    throw new BadInput(
      'inputs.platform',
      `--${strange.join(', --')} ${strange.length === 1 ? 'is' : 'are'} for doctor ${platform === true ? 'of the store, without' : 'with'} --platform`,
    );
}

function yearsOf(given: string): number {
  if (/^[1-9]\d?$/.test(given)) return Number(given);
  throw new BadInput(
    'inputs.retention_years',
    `retention-years ${JSON.stringify(given)} is not a whole number of years from 1 to 99`,
  );
}

function answer({ url, left }: StoreFacts, checks: Check[], years: number): Result {
  return verdict(checks, {
    head: [`store ${url}`],
    json: { store: url, retentionYears: years },
    unfit: 'evidence would not be safe here; see docs/stores.md',
    left,
  });
}
