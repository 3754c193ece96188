/**
 * Assembles the GitLab component project: what its repository holds at a tag. GitLab wants templates/ at the root; program,
 * policy and contract.yml lie beside it, so that one commit is all that a job fetches.
 *
 *   npm run assemble -- --out FOLDER [--project GROUP/PROJECT] [--dist FOLDER] [--contract FILE] [--release-image IMAGE@DIGEST]
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { inputTable, templateInputs } from './face-docs.ts';
import { JOB_INPUTS } from './faces.ts';

export interface Assembly {
  /** A folder that is empty or not there. */
  out: string;
  /** Path of the component project on its GitLab: its jobs fetch it from there. */
  project?: string | undefined;
  dist?: string | undefined;
  contract?: string | undefined;
  /** By digest, with `glab`, which GitLab's keyword `release` calls; else the image that GitLab's documentation names. */
  releaseImage?: string | undefined;
}

const TEMPLATES = 'gitlab-components/templates';
const PRESET = JOB_INPUTS['component-project'].default;

export function assemble(assembly: Assembly): void {
  const { out, project = PRESET, dist = 'dist', contract = 'contract.yml', releaseImage } = assembly;
  if (releaseImage !== undefined && !new RegExp(JOB_INPUTS['job-image'].regex).test(releaseImage))
    throw new Error(`${releaseImage} is no image by digest, for example registry.example.org/ci/glab@sha256:…`);
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new Error(`${out} is not empty: what lies in it would be published too`);
  if (!new RegExp(JOB_INPUTS['component-project'].regex).test(project))
    throw new Error(`${project} is no path of a project, for example ${PRESET}`);
  if (!existsSync(join(dist, 'gatehouse.js')))
    throw new Error(`${dist} holds no gatehouse.js: run npm run build first`);
  mkdirSync(out, { recursive: true });
  cpSync(dist, join(out, 'dist'), { recursive: true });
  cpSync(contract, join(out, 'contract.yml'));
  for (const file of rulesOf(contract)) {
    mkdirSync(dirname(join(out, file)), { recursive: true });
    cpSync(join(dirname(contract), file), join(out, file));
  }
  cpSync('LICENSE', join(out, 'LICENSE'));
  const names = readdirSync(TEMPLATES).sort();
  const texts = names.map((name): [string, string] => [
    name,
    stamped(readFileSync(join(TEMPLATES, name, 'template.yml'), 'utf8'), project),
  ]);
  for (const [name, text] of texts) {
    mkdirSync(join(out, 'templates', name), { recursive: true });
    writeFileSync(join(out, 'templates', name, 'template.yml'), text);
  }
  writeFileSync(join(out, 'README.md'), readme(texts, project));
  writeFileSync(join(out, '.gitlab-ci.yml'), release(releaseImage));
}

/** Rules files of scanners that contract.yml names, relative to it. */
function rulesOf(contract: string): string[] {
  const { scanners = {} } = parse(readFileSync(contract, 'utf8')) as {
    scanners?: Record<string, { tools?: { rules?: string }[] }>;
  };
  return Object.values(scanners).flatMap(({ tools = [] }) => tools.flatMap(({ rules }) => rules ?? []));
}

/** `component-project` has no default but where the project is published: a component cannot ask for its own path. */
function stamped(text: string, project: string): string {
  const line = `      default: ${PRESET}\n`;
  if (text.split(line).length !== 2) throw new Error('a template does not say once where its project is');
  return text.replace(line, `      default: ${project}\n`);
}

/**
 * GitLab's catalog takes releases from a job with `release`, on a tag that is a version (docs, CI/CD components). A mutable image
 * can bend nothing here but the release's page: consumers pin the commit, and the job's token writes no branch or tag.
 */
const release = (
  image = 'registry.gitlab.com/gitlab-org/cli:latest',
) => `# A tagged version becomes a release of the catalog. Tags are protected: only the release role creates them.
stages: [release]

publish:
  stage: release
  image: ${image}
  rules:
    - if: $CI_COMMIT_REF_PROTECTED == "true" && $CI_COMMIT_TAG =~ /^[0-9]+\\.[0-9]+\\.[0-9]+$/
  script:
    - 'true'
  release:
    tag_name: $CI_COMMIT_TAG
    description: Components of release $CI_COMMIT_TAG at commit $CI_COMMIT_SHA
`;

function readme(templates: readonly [string, string][], project: string): string {
  const sections = templates.map(([name, text]) => `## ${name}\n\n${inputTable(templateInputs(text))}\n`);
  return `# Gatehouse components

Written by \`npm run assemble\` from the templates. \`promote\` is for the protected parent project, \`child\` for application
repositories; the others are single steps for pipelines of your own. Pin the full commit id of a release:

\`\`\`yaml
include:
  - component: gitlab.example.org/${project}/child@<commit of the release>
\`\`\`

${sections.join('\n')}`;
}

if (basename(process.argv[1] ?? '') === 'assemble.ts') {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string' },
        project: { type: 'string' },
        dist: { type: 'string' },
        contract: { type: 'string' },
        'release-image': { type: 'string' },
      },
    });
    const { out, 'release-image': releaseImage } = values;
    if (out === undefined)
      throw new Error(
        'usage: npm run assemble -- --out FOLDER [--project GROUP/PROJECT] [--dist FOLDER] [--contract FILE] [--release-image IMAGE@DIGEST]',
      );
    assemble({ ...values, out, releaseImage });
    console.log(`${out} is the component project; commit it, tag it with a version, and push both`);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 2;
  }
}
