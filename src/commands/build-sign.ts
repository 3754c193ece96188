import { join } from 'node:path';
import { attestImage, CYCLONEDX_TYPE, type ImageAttestation, SIGNATURE_TYPE } from '../attestation/image.ts';
import { adoptedProvenance, builtProvenance, type Provenance } from '../attestation/provenance.ts';
import { createSbom } from '../attestation/sbom/index.ts';
import type { Collected } from '../contract/collected.ts';
import { digest as digestSchema } from '../contract/primitives.ts';
import { redact } from '../evidence/redact.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { cell } from '../lib/markdown.ts';
import * as z from '../lib/zod.ts';
import { attachAll } from '../registry/attach.ts';
import type { RegistryClient } from '../registry/client.ts';
import { type RegistryManifest, readConfig, readImage, readLayers } from '../registry/image.ts';
import { readLayout } from '../registry/layout.ts';
import { pushLayout } from '../registry/push-layout.ts';
import { type ImageName, parseName, type Reference } from '../registry/reference.ts';
import { openCollected } from './collected.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, optionalText } from './inputs.ts';
import { requireListed } from './listed-registry.ts';
import { ranInPool } from './pools.ts';
import { imageByDigest, openRegistry } from './registry.ts';
import { runInputs } from './run-inputs.ts';
import { openStage, type Stage } from './stage.ts';
import version from './version.generated.json' with { type: 'json' };

const inputs = z.strictObject({
  phase: z._default(
    choice(['build', 'sign', 'all'], {
      description:
        'build: check the layout, without a key; sign: push, list, sign, attach; all: both in one process, with isolation none',
    }),
    'all',
  ),
  layout: optionalText({ description: 'folder with the OCI image layout that was built', value: 'FOLDER' }),
  digest: optionalText({
    description: 'digest that the build phase gave; the layout must have it',
    value: 'sha256:…',
  }),
  image: optionalText({
    description:
      'where the image goes, registry/repository; or, without a layout, registry/repository@sha256:… to adopt an image that we did not build',
    value: 'IMAGE',
  }),
  collected: optionalText({
    description:
      'phase sign, with --child, instead of layout and digest: the folder that collect made of the child’s build job',
    value: 'FOLDER',
    cliOnly: true,
  }),
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const buildSign = command({
  name: 'build-sign',
  summary: 'pushes an image by digest, lists what is in it, signs it and says how it came to be',
  description: [
    'Phase build checks an OCI layout and gives its digest; it holds no key. Phase sign pushes that layout by digest, reads it',
    'back, and attaches in one step, for the image and each platform of an index: a CycloneDX SBOM of what is really in the',
    'layers, SLSA v1 provenance and a signature, both as Sigstore bundles and in the format of cosign 1 and 2. All of it is read',
    'back and verified. An image that was found in the registry is adopted: its provenance claims no source.',
    'Exit code: 0 signed, 1 something is not what it should be, 2 bad input, 3 registry or store did not answer.',
  ].join('\n'),
  examples: [
    { says: 'check what was built', command: 'gatehouse build-sign --phase build --layout ./image' },
    {
      says: 'push and sign it, in another process',
      command:
        'gatehouse build-sign --phase sign --layout ./image --digest sha256:… --image registry.example.org/app/web --run run.json',
    },
    {
      says: 'adopt an image',
      command: 'gatehouse build-sign --phase sign --image registry.example.org/app/web@sha256:… --run run.json',
    },
  ],
  inputs,
  outputs: { digest: 'sha256:… of the image', image: 'registry/repository@sha256:…' },
  cancelled: ({ phase }) =>
    phase === 'build' ? null : { type: 'build.completed', environment: null, data: { build: null, isolation: null } },
  run: async (given, context) => (given.phase === 'build' ? build(given) : await sign(given, context)),
});

function build(given: Inputs): Result {
  const layout = readLayout(requireLayout(given));
  const { digest } = layout.top.descriptor;
  const platforms = [layout.top, ...layout.children].flatMap(({ platform }) => (platform === null ? [] : [platform]));
  return {
    exit: 0,
    json: { digest, platforms },
    text: `layout ${given.layout} holds ${digest} (${platforms.join(', ')})`,
    summary: () => `## 📦 Built\n\n\`${digest}\` for ${cell(platforms.join(', '))}. Nothing is pushed or signed yet.\n`,
    outputs: { digest },
  };
}

async function sign(inputs: Inputs, context: Context): Promise<Result> {
  if (inputs.image === undefined)
    throw new BadInput('inputs.image', 'phase sign needs --image: where the image goes, or the image to adopt');
  if (inputs.phase === 'sign' && inputs.layout !== undefined && inputs.digest === undefined)
    throw new BadInput(
      'inputs.digest',
      'phase sign needs --digest with --layout: the layout as the build job left it (phase all builds and signs in one process)',
    );
  const adopted =
    inputs.layout === undefined && inputs.collected === undefined ? await imageByDigest(inputs.image, context) : null;
  const named = adopted ?? parseName(inputs.image);
  requireForm(inputs.digest);
  const stage = await openStage('build', 'build-sign', inputs, context);
  const collected = await collectedBuild(inputs, stage);
  const given = { ...inputs, layout: collected?.layout ?? inputs.layout };
  const { client, repository, name, digest } =
    adopted === null ? await push(given, named, stage, context) : await adopt(adopted, stage, context);
  const builder = stage.identity.workflow.jobRef ?? `${stage.identity.run.platform}://${stage.identity.run.host}`;
  // What is attached to an image is as public as the image, and stays: no secret may ride in a name.
  const { value: provenance } = redact(
    adopted
      ? adoptedProvenance(stage.identity.run, builder, `${name}@${digest}`)
      : builtProvenance(stage.identity.run, builder, await isolationOf(given, collected?.document, stage, context)),
  );
  const manifests = await readImage(client, repository, digest);
  const subjects = manifests.map(({ descriptor }) => ({ name, kind: 'image' as const, digest: descriptor.digest }));
  await stage.write({
    type: 'build.completed',
    subjects,
    outcome: 'success',
    data: { build: adopted ? 'adopted' : 'built', isolation: provenance.buildDefinition.internalParameters.isolation },
  });
  const statements: { predicateType: string; digest: string }[] = [];
  for (const manifest of manifests) {
    context.progress(`signing ${name}@${manifest.descriptor.digest} ${manifest.platform ?? '(index)'}`);
    const attestations = await attestOne(stage, client, { repository, name }, manifest, provenance);
    statements.push(...attestations.map(({ predicateType, digest: of }) => ({ predicateType, digest: of })));
    await stage.write({
      type: 'artifact.signed',
      subjects: [{ name, kind: 'image', digest: manifest.descriptor.digest }],
      outcome: 'success',
      data: {
        key: stage.signer.keyId,
        statements: attestations.map(({ predicateType, digest: of }) => ({ predicateType, digest: of })),
      },
    });
    await attachAll(client, repository, manifest.descriptor, attestations, context.now());
  }
  await stage.write({ type: 'artifact.published', subjects, outcome: 'success', data: { image: `${name}@${digest}` } });
  const image = `${name}@${digest}`;
  return {
    exit: 0,
    json: { image, digest, build: adopted ? 'adopted' : 'built', statements },
    text: [
      `${adopted ? 'adopted' : 'pushed'} and signed ${image}`,
      ...statements.map(({ predicateType }) => `  ✔ ${labels[predicateType] ?? predicateType}`),
    ].join('\n'),
    summary: () =>
      [
        `## ✍️ ${adopted ? 'Adopted' : 'Pushed'} and signed`,
        '',
        `\`${image}\``,
        '',
        ...[...new Set(statements.map(({ predicateType }) => labels[predicateType] ?? predicateType))].map(
          (label) => `- ${label}`,
        ),
        '',
        'Attached to the image, read back and verified.',
        '',
      ].join('\n'),
    outputs: { digest, image },
  };
}

/** The layout that was collected from a child's build job, whose jobs hold no key; undefined where the caller names one. */
async function collectedBuild(
  given: Inputs,
  stage: Stage,
): Promise<{ layout: string; document: Collected } | undefined> {
  if (given.collected === undefined) return undefined;
  if (given.layout !== undefined || given.digest !== undefined)
    throw new BadInput('inputs.collected', '--collected names the layout already: leave --layout and --digest out');
  const { files, document } = await openCollected(given.collected, 'build', stage.identity.run);
  return { layout: join(files, 'image'), document };
}

function requireForm(digest: string | undefined): void {
  if (digest !== undefined && !digestSchema.safeParse(digest).success)
    throw new BadInput('inputs.digest', `--digest ${digest} is not sha256:<64 hex>`);
}

const labels: Record<string, string> = {
  [SIGNATURE_TYPE]: 'signature',
  [CYCLONEDX_TYPE]: 'SBOM, CycloneDX',
  'https://slsa.dev/provenance/v1': 'provenance, SLSA v1',
};

function requireLayout(given: Inputs): string {
  if (given.layout === undefined)
    throw new BadInput('inputs.layout', `phase ${given.phase} needs --layout: the folder with the OCI image layout`);
  return given.layout;
}

/** A layout that was collected, or whose digest we were given, was built by another process than ours, which holds the key. */
async function isolationOf(
  given: Inputs,
  collected: Collected | undefined,
  stage: Stage,
  context: Context,
): Promise<'job' | 'process' | 'none'> {
  if (given.phase === 'all' || (given.digest === undefined && collected === undefined)) return 'none';
  if (stage.identity.workflow.jobRef === null) return 'process';
  return (await ranInPool(stage, 'build', context, collected)) ? 'job' : 'none';
}

interface Place {
  client: RegistryClient;
  repository: string;
  name: string;
  digest: string;
}

async function adopt(image: Reference, { contract }: Stage, context: Context): Promise<Place> {
  const { registry, repository, name, digest } = image;
  requireListed(name, contract);
  return { client: await openRegistry(registry, context), repository, name, digest };
}

async function push(given: Inputs, image: ImageName, { contract }: Stage, context: Context): Promise<Place> {
  const { registry, repository, name } = image;
  requireListed(name, contract);
  const layout = readLayout(requireLayout(given), null);
  const { digest } = layout.top.descriptor;
  if (given.digest !== undefined && given.digest !== digest) {
    throw new Denied(
      'build.digest',
      `layout ${given.layout} holds ${digest}, not ${given.digest} that was built: it was changed in between; nothing was pushed or signed`,
    );
  }
  const client = await openRegistry(registry, context);
  context.progress(`pushing ${name}@${digest}`);
  await pushLayout(client, layout, repository);
  return { client, repository, name, digest };
}

/** SBOM, provenance and signature of one manifest; an index has no content of its own to list. */
async function attestOne(
  stage: Stage,
  client: RegistryClient,
  { repository, name }: { repository: string; name: string },
  { descriptor, image }: RegistryManifest,
  provenance: Provenance,
): Promise<ImageAttestation[]> {
  const subject = { name, digest: descriptor.digest };
  if (image === null) return await attestImage(stage.signer, subject, provenance, null);
  const config = await readConfig(client, repository, image);
  const { value: sbom } = redact(
    await createSbom(
      { ...subject, config, layers: readLayers(client, repository, image) },
      { toolVersion: version.version },
    ),
  );
  const attachment = await stage.attach(canonicalBytes(sbom), 'sbom', 'application/vnd.cyclonedx+json', true);
  await stage.write({
    type: 'sbom.created',
    subjects: [{ ...subject, kind: 'image' }],
    outcome: 'success',
    attachments: [attachment],
    data: { format: `CycloneDX ${sbom.specVersion}`, components: sbom.components.length },
  });
  return await attestImage(stage.signer, subject, provenance, { ...sbom });
}
