import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Collected, childJob } from '../contract/collected.ts';
import type { Contract } from '../contract/load-contract.ts';
import { commit as commitSchema } from '../contract/primitives.ts';
import type { Role } from '../contract/roles.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { plural } from '../lib/plural.ts';
import { unzip } from '../lib/unzip.ts';
import { whyNot } from '../lib/write.ts';
import * as z from '../lib/zod.ts';
import type { Fetched } from '../platform/gitlab/collect.ts';
import type { GitlabPlatform } from '../platform/gitlab/gitlab.ts';
import { readTemplate } from '../platform/gitlab/same-job.ts';
import { COLLECTED } from './collected.ts';
import { type Context, command } from './command.ts';
import { choice, optionalText, text } from './inputs.ts';
import { ownContract } from './release.ts';
import { hostedSituation } from './situation.ts';

/** Of the archive, and of what it unpacks to: an image layout and its layers at most. */
const ARCHIVE = 1024 * 1024 * 1024;
const UNPACKED = { files: 10_000, bytes: 4 * 1024 * 1024 * 1024 };

const inputs = z.strictObject({
  child: text({
    description: 'repository whose pipeline this parent pipeline started',
    value: 'GROUP/PROJECT',
    cliOnly: true,
  }),
  others: z._default(
    text({
      description:
        'the other repositories whose pipelines it started, with commas between them; one that is not named denies',
      value: 'PROJECTS',
      cliOnly: true,
    }),
    '',
  ),
  ref: text({ description: 'branch that the child’s pipeline must be of', value: 'BRANCH', cliOnly: true }),
  commit: optionalText({ description: 'the very commit that it must be of', value: 'SHA', cliOnly: true }),
  job: choice(['build', 'scan'], {
    description: 'build: the image layout, under role build; scan: the reports, under role scan',
    cliOnly: true,
  }),
  'component-sha': text({
    description: 'commit of the component project at which the child must include its component; several with commas',
    value: 'SHA',
    cliOnly: true,
  }),
  'scan-images': text({
    description:
      'images, by digest, that the child’s scan may run in: its own repository chooses one; several with commas',
    value: 'IMAGES',
    cliOnly: true,
  }),
  out: text({ description: 'new folder for what was collected', value: 'FOLDER', cliOnly: true }),
});
type Inputs = z.infer<typeof inputs>;

export const collect = command({
  name: 'collect',
  summary: 'fetches what a child pipeline on GitLab left, if the pipeline and its jobs are what they should be',
  description: [
    'For the trusted parent pipeline. Asks GitLab’s API which pipelines this very pipeline started, and takes the artifacts of one',
    'job by its number only if: the repositories are exactly the named ones; the pipeline is of the branch and commit, and the',
    'branch takes no pushes; every job of our child component is there once, the newest of its name, and succeeded; the',
    'configuration includes nothing that could differ from pipeline to pipeline; and in the merged configuration each of those',
    'jobs is ours, word for word, the scan in one of the named images. Archives may hold files only, no links, no way out of the',
    'folder, and not more than is reasonable. It holds no key. It leaves a new folder, or nothing.',
    'Exit code: 0 collected, 1 something is not what it should be, 2 bad input, 3 GitLab did not answer.',
  ].join('\n'),
  examples: [
    {
      says: 'the reports of a child, for scan --phase record --collected',
      command:
        'gatehouse collect --child care/lab-results --ref main --job scan --component-sha 1f0e… --scan-images registry.example.org/ci/scan@sha256:… --out collected --json',
    },
  ],
  inputs,
  outputs: { digest: 'digest of what was collected' },
  run: async (given, context) => {
    if (existsSync(given.out))
      throw new BadInput(
        'collect.exists',
        `folder ${given.out} is there already: what is in it would pass for collected; name a new one`,
      );
    const contract = ownContract(context.home);
    if (!contract.file.platforms.some(({ kind }) => kind === 'gitlab'))
      throw new BadInput(
        'collect.platform',
        'contract.yml names no GitLab: there are no child pipelines to collect from',
      );
    const wanted = wantedBy(given, context);
    // Each trusted job fetches for itself what its role is to sign, so nothing travels between jobs.
    const { platform, identity } = await trusted(contract, given.job, context);
    const fetched = await platform.fetchFromChild(identity.run, wanted);
    const document = await keep(fetched, identity.run, given.out);
    const digest = digestOf(canonicalBytes(document));
    const { child, job, files } = document;
    return {
      exit: 0,
      json: { digest, ...document },
      text: `collected ${plural(files.length, 'file')} of job ${job.id} (${job.name}) of ${child.repository} at ${child.sha}\n${given.out} is ${digest}`,
      outputs: { digest },
    };
  },
});

function wantedBy(given: Inputs, { home }: Context) {
  const { child: path, others, ref, commit, job } = given;
  const releases = split(given['component-sha']);
  for (const sha of [...releases, ...(commit === undefined ? [] : [commit])])
    if (!commitSchema.safeParse(sha).success)
      throw new BadInput(
        'inputs.commit',
        `${sha} is not a full commit id: a shorter one could come to mean another commit`,
      );
  const scanImages = split(given['scan-images']);
  for (const image of scanImages)
    if (!/@sha256:[0-9a-f]{64}$/.test(image))
      throw new BadInput('inputs.image', `${image} is no image by digest: a tag could come to mean another image`);
  return {
    path,
    others: split(others),
    ref: `refs/heads/${ref}`,
    commit: commit ?? null,
    job: childJob(job),
    template: readTemplate(
      readInput(join(home, '..', 'templates/child/template.yml'), 'child component'),
      'the child component',
    ),
    releases,
    scanImages,
    limit: ARCHIVE,
  };
}

function split(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The parent pipeline, by its verified token in a job of this role. */
async function trusted(contract: Contract, role: Role, context: Context) {
  const { platform, identity } = await hostedSituation(contract, role, 'collect', {}, context);
  if (!('fetchFromChild' in platform))
    throw new BadInput(
      'collect.platform',
      `this run is on ${identity.run.platform}: only GitLab has child pipelines to collect from`,
    );
  return { platform: platform as GitlabPlatform, identity };
}

/** Everything is written beside the folder first: somebody who finds the folder finds all of it. */
async function keep(
  { child, job, archive }: Fetched,
  parent: { host: string; repositoryId: string; id: string },
  out: string,
): Promise<Collected> {
  const partial = `${resolve(out)}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(partial), { recursive: true });
    mkdirSync(join(partial, 'files'), { recursive: true });
    const files = await unzip(
      archive,
      join(partial, 'files'),
      UNPACKED,
      `the archive of job ${job.id} of ${child.path}`,
    );
    const document: Collected = {
      schema: 'gatehouse/collected/1',
      parent: { host: parent.host, repositoryId: parent.repositoryId, runId: parent.id },
      child: {
        repository: child.path,
        repositoryId: child.projectId,
        runId: child.pipelineId,
        ref: child.ref,
        sha: child.sha,
        startedBy: child.startedBy,
      },
      job: {
        name: job.name,
        id: String(job.id),
        finishedAt: job.finished_at as string,
        user: job.user === null ? null : String(job.user.id),
        runner: job.runner === null ? null : String(job.runner.id),
      },
      archive: { digest: digestOf(archive), bytes: archive.length },
      files: files.map(({ path, digest, size }) => ({ path, digest, bytes: size })),
    };
    writeFileSync(join(partial, COLLECTED), canonicalBytes(document));
    renameSync(partial, out);
    return document;
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    if (cause instanceof Error && 'code' in cause && 'syscall' in cause)
      throw new CouldNot('collect.unwritable', `cannot write ${out}: ${whyNot(cause)}`, cause);
    throw cause;
  }
}
