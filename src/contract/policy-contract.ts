import { parseDuration } from '../lib/time.ts';
import type { ContractFile } from './contract-file.ts';

/**
 * The contract as the policy sees it: only what rules read, camelCase, every duration in integer milliseconds (the Wasm
 * target cannot parse times).
 */
export function policyContract(file: ContractFile) {
  return {
    schema: 'gatehouse/policy-contract/1',
    profile: file.trust.profile,
    maxSkew: ms(file.trust['max-skew']),
    registerMaxAge: ms(file.register['max-age']),
    registries: file.registries,
    scanners: mapValues(file.scanners, (scanner) => ({
      tools: scanner.tools.map((tool) => ({
        name: tool.name,
        versions: tool.versions ?? null,
        digests: tool.digests ?? null,
      })),
      importers: scanner.importers,
      databaseMaxAge: scanner['database-max-age'] === undefined ? null : ms(scanner['database-max-age']),
    })),
    environments: mapValues(file.environments, (environment) => ({
      build: environment.build,
      isolation: environment.isolation,
      required: environment.required,
      denySeverities: environment['deny-severities'],
      unknownSeverity: environment['unknown-severity'],
      maxEvidenceAge: ms(environment['max-evidence-age']),
      refs: environment.refs,
      events: environment.events,
      runnerPools: environment['runner-pools'],
      reviews: environment.reviews,
      approvals: environment.approvals,
      // Which repository a cluster follows is for the deploy: the policy compares every part of a pattern with the target.
      targets: environment.targets.map(({ manifests: _, ...pattern }) => pattern),
      endpoints: environment.endpoints,
      services: environment.services,
      decisionLifetime: ms(environment['decision-lifetime']),
    })),
  };
}
export type PolicyContract = ReturnType<typeof policyContract>;

/** The schema has accepted the duration before. */
function ms(text: string): number {
  return parseDuration(text) as number;
}

function mapValues<V, W>(object: Record<string, V | undefined>, convert: (value: V) => W): Record<string, W> {
  return Object.fromEntries(
    Object.entries(object)
      .filter((entry): entry is [string, V] => entry[1] !== undefined)
      .map(([key, value]) => [key, convert(value)]),
  );
}
