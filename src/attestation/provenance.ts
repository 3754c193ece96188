import { commit, isolation, name, text } from '../contract/primitives.ts';
import type { Run } from '../contract/run.ts';
import * as z from '../lib/zod.ts';

export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';

/** How an image came to be, as `buildType` says it. */
const BUILT = 'urn:gatehouse:build:v1';
const ADOPTED = 'urn:gatehouse:adopt:v1';

const origin = z.strictObject({
  platform: name,
  host: name,
  repositoryId: name,
  runId: name,
  attempt: z.int(),
  event: name,
  isolation,
});

const runDetails = z.strictObject({
  builder: z.strictObject({ id: text }),
  metadata: z.strictObject({ invocationId: text }),
});

const built = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(BUILT),
    externalParameters: z.strictObject({ repository: name, ref: name }),
    internalParameters: origin,
    resolvedDependencies: z.tuple([z.strictObject({ uri: text, digest: z.strictObject({ gitCommit: commit }) })]),
  }),
  runDetails,
});

/** What we did not build has no source that we could vouch for. */
const adopted = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(ADOPTED),
    externalParameters: z.strictObject({ image: text }),
    internalParameters: origin,
    resolvedDependencies: z.tuple([]),
  }),
  runDetails,
});

/** SLSA provenance v1 (slsa.dev/spec/v1.0/provenance) as we write it, and the only form that we read. */
export const provenance = z.union([built, adopted]);
export type Provenance = z.infer<typeof provenance>;

/** Provenance of an image that this pipeline built from the run's commit. Every value is the platform's word, none a variable's. */
export function builtProvenance(run: Run, builder: string, how: z.infer<typeof isolation>): Provenance {
  return {
    buildDefinition: {
      buildType: BUILT,
      externalParameters: { repository: run.repository, ref: run.ref },
      internalParameters: originOf(run, how),
      resolvedDependencies: [
        { uri: `git+https://${run.host}/${run.repository}@${run.ref}`, digest: { gitCommit: run.sha } },
      ],
    },
    runDetails: detailsOf(run, builder),
  };
}

/** Provenance of an image that was found in the registry: says that it was adopted and by which run, and claims no source. */
export function adoptedProvenance(run: Run, builder: string, image: string): Provenance {
  return {
    buildDefinition: {
      buildType: ADOPTED,
      externalParameters: { image },
      internalParameters: originOf(run, 'none'),
      resolvedDependencies: [],
    },
    runDetails: detailsOf(run, builder),
  };
}

/** What provenance claims, for facts. */
export function claimsOf({ buildDefinition, runDetails: { builder } }: Provenance) {
  const { internalParameters } = buildDefinition;
  const common = { isolation: internalParameters.isolation, builder: builder.id };
  if (buildDefinition.buildType === ADOPTED)
    return { build: 'adopted' as const, ...common, repositoryId: null, ref: null, sha: null, event: null };
  const [source] = buildDefinition.resolvedDependencies;
  const { ref } = buildDefinition.externalParameters;
  return {
    build: 'built' as const,
    ...common,
    repositoryId: internalParameters.repositoryId,
    ref,
    sha: source.digest.gitCommit,
    event: internalParameters.event,
  };
}

function originOf(run: Run, how: z.infer<typeof isolation>): z.infer<typeof origin> {
  return {
    platform: run.platform,
    host: run.host,
    repositoryId: run.repositoryId,
    runId: run.id,
    attempt: run.attempt,
    event: run.event,
    isolation: how,
  };
}

function detailsOf(run: Run, builder: string): z.infer<typeof runDetails> {
  return {
    builder: { id: builder },
    metadata: {
      invocationId: `${run.platform}://${run.host}/${run.repository}/runs/${run.id}/attempts/${run.attempt}`,
    },
  };
}
