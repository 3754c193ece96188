import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWay } from '../../../src/commands/deploy-way.ts';
import { commitAll, sandboxes } from '../../support/sandbox.ts';
import { DEPLOYMENT, IMAGE, TARGET } from '../deploy/scene.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const checkout = () => {
  const folder = sandbox.folder('checkout');
  const file = join(folder, 'web.yaml');
  writeFileSync(file, DEPLOYMENT);
  return { file, commit: commitAll(folder) };
};

/** How a deploy by method kubernetes ends, to a target that the contract has under these patterns; it describes no cluster. */
async function ends(manifest: string, identity: object, targets: object[] = []): Promise<string> {
  const file = { clusters: {}, environments: { production: { targets } } };
  const given = { environment: 'production', manifest, method: 'kubernetes', 'rollout-timeout': '5m' };
  const asked = { given, image: IMAGE, target: TARGET, stage: { identity, contract: { file } }, decision: {} };
  try {
    await openWay(asked as never, { env: {} } as never);
    return 'opened';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}
const PASSED = 'kubernetes.cluster';
const run = (sha: string, more: object = {}) => ({
  run: { platform: 'github', parent: null, sha, ...more },
  workflow: { jobSha: 'c'.repeat(40) },
});

describe('method kubernetes takes a manifest', () => {
  it('of the run’s commit', async () => {
    const { file, commit } = checkout();
    expect(await ends(file, run(commit))).toBe(PASSED);
    expect(await ends(file, run('a'.repeat(40)))).toBe('deploy.target');
    // The workflow's own commit is of another repository.
    expect(await ends(file, { ...run('a'.repeat(40)), workflow: { jobSha: commit } })).toBe('deploy.target');
  });

  it('of the parent’s commit for the run of a child, in whose checkout the job runs', async () => {
    const { file, commit } = checkout();
    const child = run('a'.repeat(40), { platform: 'gitlab', parent: { runId: '1' } });
    expect(await ends(file, { ...child, workflow: { jobSha: commit } })).toBe(PASSED);
    expect(await ends(file, child)).toBe('deploy.target');
    expect(await ends(file, { ...child, workflow: { jobSha: null } })).toBe('deploy.target');
  });

  it('for no target of which the contract says, in any pattern, that it follows a branch', async () => {
    const { file, commit } = checkout();
    const manifests = { repository: 'https://git.example.org/care/gitops', branch: 'main' };
    const web = { cluster: 'prod', namespace: 'web' };
    expect(await ends(file, run(commit), [web, { ...web, manifests }])).toBe('deploy.target');
    expect(await ends(file, run(commit), [web, { ...web, namespace: 'other', manifests }])).toBe(PASSED);
    expect(
      await ends(file, { ...run(commit), run: { ...run(commit).run, platform: 'local' } }, [{ ...web, manifests }]),
    ).toBe('deploy.target');
  });
});
