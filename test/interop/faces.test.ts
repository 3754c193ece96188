import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPONENTS } from '../../scripts/published.ts';
import { exec } from '../../src/lib/exec.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { checkOut, localGitlab, publish } from '../support/gitlab-local.ts';
import { bringToGate, type HostedSite, layHostedSite, recordScan } from '../support/hosted-site.ts';
import { layComponents, layRelease } from '../support/release.ts';
import { cleanEnvironment, commitAll, type Ended, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const THROUGH = 'the gate let it through';
const ALWAYS_ALLOW = "console.log('allow');\n";

const said = ({ stdout, stderr }: Ended) => stdout + stderr;
/** A run that was denied for this reason, and in which nothing behind the gate ran. */
const deniedBy = (ended: Ended, rule: string) =>
  ended.code === 1 && said(ended).includes(`✖ ${rule}`) && !said(ended).includes(THROUGH);
/** A run that was allowed, and in which what is behind the gate ran. */
const allowed = (ended: Ended) => ended.code === 0 && said(ended).includes(THROUGH);

/** Runs the action in a workflow of the release's own repository, by the real act in host mode. */
async function act(release: string, image: string, variables: Record<string, string>): Promise<Ended> {
  mkdirSync(join(release, '.github/workflows'), { recursive: true });
  writeFileSync(
    join(release, '.github/workflows/gate.yml'),
    `on: push
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./actions/policy-gate
        with: { stage: promote, environment: production, image: '${image}' }
      - run: echo "${THROUGH}"
`,
  );
  commitAll(release);
  const env = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  return await exec(toolPath('act'), ['push', '-P', 'ubuntu-latest=-self-hosted', '--action-offline-mode', ...env], {
    cwd: release,
    env: cleanEnvironment(sandbox.folder('home')),
  });
}

/** Runs the component in a caller's pipeline, by the real gitlab-ci-local, which fetches the component project by git. */
async function gitlabPipeline(components: string, image: string, variables: Record<string, string>): Promise<Ended> {
  const gitlab = localGitlab(sandbox.folder);
  const sha = publish(gitlab, COMPONENTS, components, sandbox.folder('bare'));
  const caller = sandbox.folder('caller');
  writeFileSync(
    join(caller, '.gitlab-ci.yml'),
    `include:
  - component: $CI_SERVER_FQDN/${COMPONENTS}/policy-gate@${sha}
    inputs:
      environment: production
      image: '${image}'
      job-image: registry.example.org/ci/node@sha256:${'a'.repeat(64)}
      job-stage: gate
stages: [gate, after]
after:
  stage: after
  script: ['echo "${THROUGH}"']
`,
  );
  checkOut('example-health/web', caller);
  return await gitlab.run(caller, [], { CI_COMMIT_REF_PROTECTED: 'true', ...variables });
}

const faces = [
  {
    kind: 'github',
    title: 'the action under act',
    tool: 'act',
    lay: layRelease,
    face: 'actions',
    start: act,
    program: 'policy-gate.js',
  },
  {
    kind: 'gitlab',
    title: 'the component under gitlab-ci-local',
    tool: 'rsync',
    lay: layComponents,
    face: 'gitlab-components/templates',
    start: gitlabPipeline,
    program: 'gatehouse.js',
  },
] as const;

describe.each(faces)('$title', ({ kind, tool, lay, face, start, program }) => {
  const itFace = itWith(tool);

  describe('in a job of the caller', () => {
    const run = async (plant?: string) => {
      const release = sandbox.folder('release');
      lay(release);
      if (plant !== undefined) {
        writeFileSync(join(release, 'dist', program), plant);
        // The post step would otherwise say that the main one never came to its end, which fails the job as well.
        writeFileSync(join(release, 'dist', 'policy-gate-post.js'), '');
      }
      return await start(release, `registry.example.org/care/web@sha256:${'a'.repeat(64)}`, {});
    };

    itFace('denies with workflow_untrusted and exit 1', async () => {
      const ended = await run();
      expect(said(ended)).toContain('workflow_untrusted');
      expect(deniedBy(ended, 'workflow_untrusted')).toBe(true);
    });

    itFace('a planted gate that always allows is caught', async () => {
      const ended = await run(ALWAYS_ALLOW);
      expect(allowed(ended)).toBe(true);
      expect(deniedBy(ended, 'workflow_untrusted')).toBe(false);
    });
  });

  describe('with the claims of the trusted workflow, by an issuer on loopback', () => {
    let registry: Awaited<ReturnType<typeof startRegistry>>;
    let hosted: HostedSite;
    let image: string;

    beforeAll(async () => {
      registry = await startRegistry();
      const host = new URL(registry.url).host;
      hosted = await layHostedSite(kind, sandbox.folder(kind), host);
      image = await bringToGate(hosted, host);
    });

    afterAll(async () => {
      await hosted.close();
      await registry.close();
    });

    const run = async () => {
      const release = sandbox.folder('release');
      for (const part of ['dist', 'contract.yml'])
        cpSync(hosted.site.path('fork', part), join(release, part), { recursive: true });
      cpSync(face, join(release, kind === 'github' ? 'actions' : 'templates'), { recursive: true });
      return await start(release, image, await hosted.environment('gate'));
    };

    itFace('allows an image with all its evidence', async () => {
      const ended = await run();
      expect(said(ended)).toContain('ALLOW promote to production');
      expect(allowed(ended)).toBe(true);
    });

    itFace('denies it once a critical finding is recorded', async () => {
      expect((await recordScan(hosted.run, 'trivy-critical', image)).code).toBe(0);
      const ended = await run();
      expect(said(ended)).toContain('CVE-2024-45337');
      expect(deniedBy(ended, 'scan.findings')).toBe(true);
    });
  });
});
