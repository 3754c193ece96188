import type { Decision } from '../contract/decision.ts';
import { duration } from '../contract/primitives.ts';
import { clusterOrHost, isAbout, type Target } from '../contract/target.ts';
import { gitopsWay } from '../deploy/gitops.ts';
import type { Way } from '../deploy/way.ts';
import { BadInput } from '../lib/errors.ts';
import { exec } from '../lib/exec.ts';
import { http } from '../lib/http.ts';
import { parseDuration } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { RunIdentity } from '../platform/platform.ts';
import type { Reference } from '../registry/reference.ts';
import type { Context } from './command.ts';
import { choice, optionalText, text } from './inputs.ts';
import type { Stage } from './stage.ts';

/** The inputs that say how a deploy is done. Where it goes is the decision's target, and which server that is the contract's word. */
export const wayInputs = {
  method: z._default(
    choice(['gitops', 'kubernetes'], {
      description: 'how it is deployed: by a commit to a GitOps repository, or to the cluster’s API server itself',
    }),
    'gitops',
  ),
  manifest: text({
    description:
      'manifest of the workload, whose images are set to this digest; gitops: it or its kustomization.yaml, in a clone of the repository; kubernetes: as the job’s own commit has it',
    value: 'FILE',
  }),
  'token-file': optionalText({
    description:
      'kubernetes: file that holds the cluster’s token alone; without it GATEHOUSE_CLUSTER_TOKEN, or GitHub’s ID token where the contract names its audience',
    value: 'FILE',
  }),
  'rollout-timeout': z._default(
    duration.check(
      z.meta({ description: 'kubernetes: how long to wait until the workload has rolled out', value: '5m' }),
    ),
    '5m',
  ),
};

interface Asked {
  given: z.infer<z.ZodMiniObject<typeof wayInputs>> & { environment: string };
  image: Reference;
  target: Target;
  stage: Stage;
  decision: Decision;
}

/** The way that the inputs name. Throws BadInput for what it lacks or for inputs of the other way. */
export async function openWay(
  { given, image, target, stage, decision }: Asked,
  { env, now, sleep, progress }: Context,
): Promise<Way> {
  const { environment, manifest, method, 'token-file': file } = given;
  const name = clusterOrHost(target);
  const { clusters, environments } = stage.contract.file;
  const { platform } = stage.identity.run;
  const patterns = environments[environment]?.targets ?? [];
  const manifests = patterns.flatMap((each) => (each.manifests && isAbout(each, target) ? [each.manifests] : []));
  const local = platform === 'local';
  if (method === 'gitops') {
    if (file === undefined) {
      const repositories = {
        manifests,
        direct: Object.hasOwn(clusters, name),
        local,
        user: platform === 'gitlab' ? 'gitlab-ci-token' : 'x-access-token',
        token: env.GATEHOUSE_GIT_TOKEN || undefined,
      };
      return gitopsWay(manifest, image, target, repositories, exec);
    }
    throw new BadInput(
      'inputs.token_file',
      'token-file is for method kubernetes: a commit opens no cluster; leave it out',
    );
  }
  // Only here: a deploy by commit needs no client of a cluster.
  const { kubernetesApi } = await import('../deploy/kubernetes/api.ts');
  const { clusterOf, clusterToken } = await import('../deploy/kubernetes/token.ts');
  const { judgedManifest } = await import('../deploy/kubernetes/judged-manifest.ts');
  const { kubernetesWay } = await import('../deploy/kubernetes/way.ts');
  const judged = { manifests, local, commit: ownCommit(stage.identity) };
  const source = await judgedManifest(manifest, target, judged, exec);
  const { server, certificates, audience } = clusterOf(name, clusters);
  const token = await clusterToken(name, { file, env, audience, http });
  return kubernetesWay({
    manifest: source,
    image,
    digests: new Set(decision.subjects.filter((each) => each.name === image.name).map(({ digest }) => digest)),
    target,
    api: kubernetesApi({ name, server, certificates, token }, http),
    rolloutTimeout: parseDuration(given['rollout-timeout']) as number,
    now,
    sleep,
    progress,
  });
}

/** The commit that the job runs on: its run's, and for the run of a child the parent's, which the register lists for the release. */
function ownCommit({ run, workflow }: RunIdentity): string | null {
  return run.parent === null ? run.sha : workflow.jobSha;
}
