import { checkGithub } from '../../src/commands/doctor/github-checks.ts';
import { checkGitlab } from '../../src/commands/doctor/gitlab-checks.ts';
import { branchesOf } from '../../src/commands/doctor/refs.ts';
import { verdict } from '../../src/commands/doctor/verdict.ts';
import { http } from '../../src/lib/http.ts';
import { readApplication } from '../../src/platform/github/protection/application.ts';
import { readCompliance } from '../../src/platform/github/protection/compliance.ts';
import { readPipelineProject, readProject } from '../../src/platform/gitlab/protection.ts';
import { GITHUB_WORKFLOW } from '../support/claims.ts';
import {
  APPLICATION,
  COMPLIANCE,
  TOKEN as GITHUB_TOKEN,
  protectionWorld,
  startGithubProtection,
} from '../support/fake-github-protection.ts';
import { gitlabProtection, PIPELINE, startGitlabProtection, TOKEN } from '../support/fake-gitlab-protection.ts';

/* A second branch that the contract allows is pushed to by everybody: what protects the default branch says nothing of it. */

const REFS = ['refs/heads/main', 'refs/heads/release'];
const sleep = async () => undefined;
const said = (checks: Parameters<typeof verdict>[0]) => {
  const { exit, json } = verdict(checks, { head: [], json: {}, unfit: '' });
  const open = (json as { checks: typeof checks }).checks.filter(({ status }) => status !== 'ok');
  return { exit, open: open.map(({ check, status, found }) => `${check} ${status}: ${found}`) };
};

it('on GitHub it is no demand that holds', async () => {
  const github = await startGithubProtection();
  try {
    const look = async (refs: string[]) => {
      const access = { http, api: github.url, token: GITHUB_TOKEN, sleep };
      const workflow = { repository: COMPLIANCE, path: '.github/workflows/promote.yml', ref: 'refs/tags/v1.0.0' };
      const application = await readApplication(access, APPLICATION, branchesOf(refs));
      const demand = { workflow, workflowRef: GITHUB_WORKFLOW, environment: 'production', refs, runnerPools: [] };
      return said(checkGithub(await readCompliance(access, workflow), application, demand));
    };
    github.world = protectionWorld();
    expect(await look(['refs/heads/main'])).toEqual({ exit: 0, open: [] });
    expect(await look(REFS)).toEqual({
      exit: 1,
      open: [
        'application branch release fails: release: it may be deleted; it may be pushed to by force; changes need no review',
      ],
    });
  } finally {
    await github.close();
  }
});

it('on GitLab neither', async () => {
  const gitlab = await startGitlabProtection();
  try {
    const look = async (refs: string[]) => {
      const access = { http, api: gitlab.url, token: { kind: 'PRIVATE-TOKEN', value: TOKEN } as const, sleep };
      const demand = {
        workflow: { path: '.gitlab-ci.yml', ref: 'refs/heads/main' },
        environment: 'production',
        refs,
        approvals: 1,
      };
      const pipeline = await readPipelineProject(access, PIPELINE, ['31']);
      return said(checkGitlab(pipeline, await readProject(access, APPLICATION), demand));
    };
    gitlab.world = gitlabProtection();
    expect(await look(['refs/heads/main'])).toEqual({ exit: 0, open: [] });
    expect(await look(REFS)).toEqual({
      exit: 1,
      open: ['application branch release fails: release is not protected'],
    });
  } finally {
    await gitlab.close();
  }
});
