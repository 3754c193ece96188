import type { ContractFile } from '../../contract/contract-file.ts';
import { BadInput } from '../../lib/errors.ts';
import { http } from '../../lib/http.ts';
import { readApplication } from '../../platform/github/protection/application.ts';
import { readCompliance, type WorkflowRef } from '../../platform/github/protection/compliance.ts';
import { readPipelineProject, readProject } from '../../platform/gitlab/protection.ts';
import type { Context, Result } from '../command.ts';
import type { Check } from './check.ts';
import { checkGithub } from './github-checks.ts';
import { checkGitlab } from './gitlab-checks.ts';
import { branchesOf } from './refs.ts';
import { verdict } from './verdict.ts';

type Hosted = Exclude<ContractFile['platforms'][number], { kind: 'local' }>;
type Environment = ContractFile['environments'][string];

/** Inputs of `doctor --platform`. */
export interface PlatformQuestion {
  repository: string | undefined;
  environment: string | undefined;
  host: string | undefined;
}

/**
 * Asks the platform of the contract what protects the repository with the trusted workflow, and the application's. Throws
 * BadInput, and CouldNot where the platform does not answer or does not show one of the two at all.
 */
export async function doctorPlatform(file: ContractFile, given: PlatformQuestion, context: Context): Promise<Result> {
  const platform = platformOf(file, given.host);
  const { name, environment } = environmentOf(file, given.environment);
  const repository = repositoryOf(platform, given.repository);
  const token = context.env.GATEHOUSE_API_TOKEN;
  if (token === undefined || token === '')
    throw new BadInput(
      'inputs.token',
      `GATEHOUSE_API_TOKEN is not set: without a token ${platform.host} shows nothing of its protection; ${TOKENS[platform.kind]}`,
    );
  const look = platform.kind === 'github' ? github : gitlab;
  const { compliance, checks } = await look(platform, { repository, name, environment, token, context });
  return verdict(checks, {
    head: [
      `${platform.kind} ${platform.host}`,
      `  trusted workflow: ${compliance}`,
      `  application: ${repository}, environment ${name}`,
    ],
    json: { platform: platform.kind, host: platform.host, compliance, application: repository, environment: name },
    unfit: 'trust in this platform would rest on nothing; see docs/fork.md',
  });
}

const TOKENS = {
  github:
    'use one that may read metadata, contents, actions and administration of both repositories, and self-hosted runners of the organization',
  gitlab: 'use one with scope read_api, of a Maintainer of both projects',
};

interface Look {
  repository: string;
  /** Of the environment. */
  name: string;
  environment: Environment;
  token: string;
  context: Context;
}

async function github(platform: Hosted, look: Look): Promise<{ compliance: string; checks: Check[] }> {
  const access = { http, api: platform.api, token: look.token, sleep: look.context.sleep };
  const workflow = githubWorkflow(platform['workflow-ref']);
  const compliance = await readCompliance(access, workflow);
  const application = await readApplication(access, look.repository, branchesOf(look.environment.refs));
  const demand = {
    workflow,
    workflowRef: platform['workflow-ref'],
    environment: look.name,
    refs: look.environment.refs,
    runnerPools: look.environment['runner-pools'],
  };
  return { compliance: workflow.repository, checks: checkGithub(compliance, application, demand) };
}

async function gitlab(platform: Hosted, look: Look): Promise<{ compliance: string; checks: Check[] }> {
  const token = { kind: 'PRIVATE-TOKEN', value: look.token } as const;
  const access = { http, api: platform.api, token, sleep: look.context.sleep };
  const { project, ...workflow } = gitlabWorkflow(platform);
  const pipeline = await readPipelineProject(access, project, look.environment['runner-pools']);
  const application = await readProject(access, look.repository);
  const { refs, approvals } = look.environment;
  const demand = { workflow, environment: look.name, refs, approvals: approvals.number };
  return { compliance: project, checks: checkGitlab(pipeline, application, demand) };
}

function platformOf({ platforms }: ContractFile, host: string | undefined): Hosted {
  const hosted = platforms.filter((platform): platform is Hosted => platform.kind !== 'local');
  const found = host === undefined ? hosted : hosted.filter((platform) => platform.host === host);
  const [platform] = found;
  if (platform !== undefined && found.length === 1) return platform;
  const names = hosted.map((each) => each.host);
  if (names.length === 0)
    throw new BadInput('inputs.platform', 'contract.yml names no GitHub or GitLab: there is no platform to look at');
  throw new BadInput(
    'inputs.host',
    `contract.yml names ${found.length === 0 ? `no platform ${host}` : `${found.length} platforms`}: say --host ${names.join(' or ')}`,
  );
}

function environmentOf({ environments }: ContractFile, given: string | undefined) {
  const names = Object.keys(environments);
  const name = given ?? (names.length === 1 ? names[0] : undefined);
  const environment = name !== undefined && Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (name !== undefined && environment !== undefined) return { name, environment };
  throw new BadInput(
    'inputs.environment',
    `${given === undefined ? 'no environment is named' : `contract.yml has no environment ${given}`}: say --environment ${names.join(' or ')}`,
  );
}

const REPOSITORIES = {
  github: /^[A-Za-z0-9-]+\/(?!\.{1,2}$)[A-Za-z0-9._-]+$/,
  gitlab: /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/,
};

function repositoryOf({ kind }: Hosted, given: string | undefined): string {
  if (given !== undefined && REPOSITORIES[kind].test(given)) return given;
  throw new BadInput(
    'inputs.repository',
    `${given === undefined ? 'no repository is named' : `${JSON.stringify(given)} is no repository`}: say --repository ${kind === 'github' ? 'OWNER/NAME' : 'GROUP/PROJECT'}, the application’s`,
  );
}

/** `owner/repo/.github/workflows/promote.yml@refs/tags/v1.0.0` */
function githubWorkflow(given: string): WorkflowRef {
  const found = /^([^/@]+\/[^/@]+)\/([^@]+)@(\S+)$/.exec(given);
  if (found === null) throw badWorkflow(given, 'owner/repository/path@ref');
  const [, repository = '', path = '', ref = ''] = found;
  return { repository, path, ref };
}

/** `gitlab.example.org/group/project//.gitlab-ci.yml@refs/heads/main` */
function gitlabWorkflow({ host, 'workflow-ref': given }: Hosted): { project: string; path: string; ref: string } {
  const found = /^([^@]+?)\/\/([^@]+)@(\S+)$/.exec(given);
  const [, whole = '', path = '', ref = ''] = found ?? [];
  if (!whole.startsWith(`${host}/`)) throw badWorkflow(given, `${host}/group/project//path@ref`);
  return { project: whole.slice(host.length + 1), path, ref };
}

function badWorkflow(given: string, form: string): BadInput {
  return new BadInput(
    'contract.workflow_ref',
    `workflow-ref ${JSON.stringify(given)} of contract.yml is not of the form ${form}`,
  );
}
