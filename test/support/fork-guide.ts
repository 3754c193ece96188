import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { WORKFLOWS } from '../../scripts/published.ts';
import { matches } from '../../src/commands/doctor/ref-pattern.ts';
import { exec } from '../../src/lib/exec.ts';
import type { S3Server } from '../interop/store-servers.ts';
import {
  environment,
  type ProtectionWorld,
  protectionWorld,
  type Ruleset,
  TAG_COMMIT,
} from './fake-github-protection.ts';
import { type GitlabProtection, gitlabProtection } from './fake-gitlab-protection.ts';
import { checkRequest } from './github-openapi.ts';
import { checkRequest as checkGitlabRequest } from './gitlab-openapi.ts';
import { CALLER } from './promote-copy.ts';
import { cleanEnvironment, commitAll, type Ended, run } from './sandbox.ts';
import { toolPath } from './tools.ts';

type Json = Record<string, unknown>;

/** Whose names bump finds. */
const OWNER = WORKFLOWS.split('/')[0] as string;

/** Whose fork it is: a name that this repository does not bear, so that what is left of its own can be found. */
export const ORG = 'acme-health';

/** A fenced block of shell: `sh` runs as it is, `sh platform` with stand-ins for the platforms' programs, `sh doctor` last. */
export interface Block {
  kind: '' | 'platform' | 'doctor';
  text: string;
  line: number;
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^ *```sh ?(\S*)\n([\s\S]*?)^ *```$/gm)].map(({ 1: kind = '', 2: text = '', index }) => {
    if (kind !== '' && kind !== 'platform' && kind !== 'doctor') throw new Error(`no block is ${kind}`);
    return { kind, text, line: markdown.slice(0, index).split('\n').length };
  });
}

/**
 * STAND-IN for the editor with which a platform team names its time stamping authority, and for AWS at its own addresses.
 * `certificate` is that authority's, PEM.
 */
export function edited(certificate: string): Block {
  const lines = certificate
    .trim()
    .split('\n')
    .map((line) => `        ${line}`);
  const text = [
    "cat > ../authority.yml <<'PEM'",
    ...lines,
    'PEM',
    'sed -i -e "s|https://timestamp.example.org/|https://timestamp.acme.test/|" \\',
    '  -e "s|url: awskms:.*|&?endpoint=$AWS_ENDPOINT_URL\\&sts=$AWS_ENDPOINT_URL|" \\',
    "  -e '/-----BEGIN CERTIFICATE/,/-----END CERTIFICATE/{' -e '/-----END CERTIFICATE/r ../authority.yml' -e 'd' -e '}' contract.yml",
    '',
  ].join('\n');
  return { kind: '', line: 0, text };
}

/** What a stand-in for `gh` or `glab` was asked to send. */
export interface Sent {
  tool: 'gh' | 'glab';
  method: string;
  /** Begins with a slash. */
  path: string;
  body: unknown;
  /** Of the block that sent it. */
  line: number;
}

/** A token that GitLab makes. */
export const MADE_TOKEN = 'glpat-made';

/** Writes what it is asked down; asked for one field by `--jq .id` it says a number, and asked for a token it makes one. */
const STAND_IN = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require('node:fs');
const [, tool, ...args] = process.argv;
const input = args.includes('--input') ? readFileSync(0, 'utf8') : null;
const line = Number(process.env.BLOCK);
appendFileSync(process.env.SENT, JSON.stringify({ tool: tool.split('/').at(-1), args, input, line }) + '\\n');
if (args.includes('--jq')) console.log(args.some((arg) => arg.startsWith('orgs/')) ? 77 : 4711);
if (args.some((arg) => arg.endsWith('/access_tokens'))) console.log('{"id":42,"token":"${MADE_TOKEN}","user_id":7}');
`;

const FLAGS = { gh: ['--method', '--input', '--jq'], glab: ['--method', '--input', '--header'] };

interface Asked {
  tool: 'gh' | 'glab';
  args: string[];
  input: string | null;
  line: number;
}

function sentOf({ tool, args, input, line }: Asked): Sent {
  const flags: Record<string, string | undefined> = {};
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (!word.startsWith('-')) words.push(word);
    else if (FLAGS[tool].includes(word)) flags[word] = args[++i] ?? '';
    else throw new Error(`${tool} api has no ${word}`);
  }
  if (words[0] !== 'api' || words.length !== 2) throw new Error(`${tool} ${words.join(' ')} is no call of the API`);
  return {
    tool,
    method: flags['--method'] ?? 'GET',
    path: `/${words[1]}`,
    body: input === null ? null : JSON.parse(input),
    line,
  };
}

/** Holds what was sent against what the platform says of its API. Throws what does not fit. */
export function checkSent({ tool, method, path, body }: Sent): void {
  if (tool === 'gh') checkRequest(method, path, body);
  else checkGitlabRequest(method, `/api/v4${path}`, body);
}

export interface Site {
  /** Everything lies in it. */
  folder: string;
  env: Record<string, string>;
  /** The fork that the guide makes. */
  fork: string;
  /** The file in which the stand-ins write down what they are asked. */
  sent: string;
}

/**
 * An upstream of this work tree with the fresh build as its dist, an empty repository to fork into, and the stand-ins. `cloud` is
 * what stands for AWS.
 */
export function laySite(folder: string, cloud: S3Server): Site {
  const upstream = join(folder, 'upstream');
  const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']).stdout;
  for (const file of listed.split('\0').filter((each) => each !== '' && !each.startsWith('dist/'))) {
    mkdirSync(dirname(join(upstream, file)), { recursive: true });
    cpSync(file, join(upstream, file));
  }
  // As upstream has them, where this test itself runs in a fork.
  for (const [own, shipped] of [
    ['contract.yml', 'test/fixtures/contract.yml'],
    ['workflows/github/promote.yml', CALLER],
  ] as const)
    writeFileSync(join(upstream, own), readFileSync(shipped, 'utf8').replaceAll('example-health', OWNER));
  cpSync('build/dist', join(upstream, 'dist'), { recursive: true });
  commitAll(upstream);
  run('git', ['init', '-q', '--bare', '-b', 'main', join(folder, 'fork.git')]);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of ['gh', 'glab']) {
    writeFileSync(join(bin, tool), STAND_IN);
    chmodSync(join(bin, tool), 0o755);
  }
  mkdirSync(join(folder, 'work'));
  const clean = cleanEnvironment(folder);
  const home = process.env.HOME ?? '';
  return {
    folder,
    fork: join(folder, 'work', 'compliance-workflows'),
    sent: join(folder, 'sent'),
    env: {
      ...clean,
      PATH: `${bin}:${dirname(toolPath('aws'))}:${clean.PATH}`,
      ...cloud.env,
      AWS_ENDPOINT_URL: cloud.endpoint,
      UPSTREAM: upstream,
      FORK: join(folder, 'fork.git'),
      ORG,
      APP: 'care/lab-results',
      STORE: `s3://${ORG}-evidence/prod?region=us-east-1&endpoint=${cloud.endpoint}&sts=${cloud.endpoint}`,
      FORKED: 'care%2Fcompliance-workflows',
      // npm's own settings are those of whoever runs the test: where packages come from is not of the guide.
      npm_config_userconfig: process.env.npm_config_userconfig ?? join(home, '.npmrc'),
      npm_config_cache: process.env.npm_config_cache ?? join(home, '.npm'),
      // The lock file says which bytes; those that npm has already need no question.
      npm_config_prefer_offline: 'true',
      ...(process.env.NODE_EXTRA_CA_CERTS === undefined ? {} : { npm_config_cafile: process.env.NODE_EXTRA_CA_CERTS }),
      GIT_AUTHOR_NAME: 'test',
      GIT_AUTHOR_EMAIL: 'test@example.org',
      GIT_COMMITTER_NAME: 'test',
      GIT_COMMITTER_EMAIL: 'test@example.org',
    },
  };
}

/** Runs blocks in one shell, as somebody who pastes them one after another; says on stdout which were done. */
export async function runBlocks(site: Site, blocks: Block[]): Promise<Ended & { done: number[]; sent: Sent[] }> {
  writeFileSync(site.sent, '');
  const script = join(site.folder, 'guide.sh');
  writeFileSync(
    script,
    blocks.map(({ text, line }) => `export BLOCK=${line}\n${text}\necho "done: ${line}"\n`).join(''),
  );
  const ended = await exec('bash', [script], { cwd: join(site.folder, 'work'), env: { ...site.env, SENT: site.sent } });
  return {
    ...ended,
    done: [...ended.stdout.matchAll(/^done: (\d+)$/gm)].map(([, line]) => Number(line)),
    sent: askedOf(site.sent).map(sentOf),
  };
}

function askedOf(file: string): Asked[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** What release.yml did on a tag of the fork. */
export interface Released extends Ended {
  /** Its environment. */
  environment: string;
  /** Arguments of `gh release`, and of `gh api` where it moves a tag. */
  releases: string[][];
  moved: string[];
  /** Checkout in which the release was laid out. */
  folder: string;
}

/** STAND-INS for all that `.ci/run` runs: what depends on what a fork changes. */
export const CURRENT = 'npm run --silent generate -- --check';
export const SUITES = [
  CURRENT,
  'npm run --silent build -- --check',
  'node_modules/.bin/node scripts/test.ts contract',
].join('\n');

/** Runs the shell steps of release.yml on a checkout of the tag; foreign actions (artifacts, provenance) are left out. */
export async function runRelease(site: Site, tag: string, suites: string): Promise<Released> {
  const { jobs } = parse(readFileSync('.github/workflows/release.yml', 'utf8')) as {
    jobs: Record<'check' | 'publish', { environment?: string; steps: { run?: string }[] }>;
  };
  const folder = join(site.folder, `checkout-${tag}`);
  const env = {
    ...site.env,
    SENT: join(site.folder, `sent-${tag}`),
    BLOCK: '0',
    GITHUB_REPOSITORY: `${ORG}/compliance-workflows`,
  };
  writeFileSync(env.SENT, '');
  run('git', ['clone', '-q', '-b', tag, join(site.folder, 'fork.git'), folder], { env: site.env });
  // As npm ci would leave them. A link to the folder would not do: what is built depends on where a module really lies.
  run('cp', ['-al', join(site.fork, 'node_modules'), folder]);
  const sha = run('git', ['-C', folder, 'rev-parse', 'HEAD'], { env: site.env }).stdout.trim();
  const steps = [...jobs.check.steps, ...jobs.publish.steps].flatMap(({ run: text }) => text ?? []);
  const script = steps.map((text) => (text === '.ci/run' ? suites : text)).join('\n');
  const ended = await exec('bash', ['-e', '-c', script], {
    cwd: folder,
    env: { ...env, GITHUB_REF_NAME: tag, GITHUB_SHA: sha },
  });
  const asked = askedOf(env.SENT).map(({ args }) => args);
  return {
    ...ended,
    environment: jobs.publish.environment ?? '',
    releases: asked.filter(([what]) => what === 'release'),
    moved: asked.flatMap((args) => args.find((word) => word.includes('/git/refs/'))?.replace(/.*\/git\//, '') ?? []),
    folder,
  };
}

/** Names of the rulesets that keep a tag from being moved. */
export function keptFromMoving(rulesets: Ruleset[], ref: string): string[] {
  return rulesets
    .filter(({ target, rules }) => target === 'tag' && rules.some(({ type }) => type === 'update'))
    .filter(({ conditions }) => conditions.ref_name.include.some((pattern) => matches(pattern, ref) === true))
    .map(({ name }) => name);
}

/** What GitHub shows once these requests were sent to a bare pair of repositories, and releases of these tags published. */
export function githubAfter(sent: Sent[], tags: string[]): ProtectionWorld {
  const world = protectionWorld();
  for (const repository of [world.compliance, world.application])
    Object.assign(repository, {
      rulesets: [],
      releases: [],
      environments: [],
      policies: {},
      actions: { enabled: true, allowed_actions: 'all', sha_pinning_required: false },
      token: { default_workflow_permissions: 'write', can_approve_pull_request_reviews: true },
    });
  const [release] = protectionWorld().compliance.releases;
  const [group] = world.groups.splice(0);
  for (const tag of tags) {
    world.compliance.commits[`tags/${tag}`] = TAG_COMMIT;
    world.compliance.releases.push({ ...release, tag_name: tag, immutable: isImmutable(sent) });
  }
  for (const { path, body } of sent) {
    const repository = path.startsWith('/repos/care/') ? world.application : world.compliance;
    const what = path.replace(/^\/repos\/[^/]+\/[^/]+/, '');
    const fields = (body ?? {}) as Json;
    const [, name = '', rest = ''] = /^\/environments\/([^/]+)(.*)$/.exec(what) ?? [];
    if (what === '/rulesets') repository.rulesets.push({ ...fields, id: repository.rulesets.length + 1 } as Ruleset);
    if (what === '/actions/permissions') Object.assign(repository.actions, fields);
    if (what === '/actions/permissions/workflow') Object.assign(repository.token, fields);
    if (rest === '/deployment-branch-policies')
      repository.policies[name] = [...(repository.policies[name] ?? []), fields];
    if (name !== '' && rest === '') repository.environments.push(made(name, fields));
    if (path.endsWith('/runner-groups')) world.groups.push({ ...group, ...fields });
    if (/\/runner-groups\/\d+$/.test(path))
      Object.assign(world.groups.find(({ name }) => name === fields.name) ?? {}, fields);
  }
  return world;
}

/** Only what is published afterwards is immutable. */
const isImmutable = (sent: Sent[]) => sent.some(({ path }) => path.endsWith('/immutable-releases'));

function made(name: string, fields: Json): Json {
  const { reviewers, prevent_self_review: prevented = false, deployment_branch_policy: policy = null } = fields;
  const base = environment(name, reviewers === undefined ? null : 'release-approvers', {
    deployment_branch_policy: policy,
  });
  for (const rule of base.protection_rules as Json[]) rule.prevent_self_review = prevented;
  return base;
}

/** What GitLab shows once these requests were sent to a bare pair of projects. */
export function gitlabAfter(sent: Sent[]): GitlabProtection {
  const world = gitlabProtection();
  const { level } = world.make;
  for (const project of [world.pipeline, world.application])
    Object.assign(project, {
      settings: {
        ...project.settings,
        ci_pipeline_variables_minimum_override_role: 'developer',
        only_allow_merge_if_pipeline_succeeds: false,
        allow_pipeline_trigger_approve_deployment: true,
      },
      branches: [],
      tags: [],
      approvalRules: [],
      approvals: { merge_requests_author_approval: true },
      pushRule: null,
      environments: [],
      jobTokens: { inbound_enabled: false },
    });
  Object.assign(world.runner, { access_level: 'not_protected', locked: false, run_untagged: true });
  for (const { path, body } of sent) {
    const fields = (body ?? {}) as Json;
    if (path.startsWith('/runners/')) Object.assign(world.runner, fields);
    const [, id = '', what] = /^\/projects\/([^/]+)(.*)$/.exec(path) ?? [];
    const project = { 'care%2Frelease': world.pipeline, 'care%2Flab-results': world.application }[id];
    if (project === undefined) continue;
    const {
      push_access_level: push,
      create_access_level: create,
      merge_access_level: _,
      group_ids: __,
      ...rest
    } = fields;
    if (what === '') Object.assign(project.settings, fields);
    if (what === '/protected_branches') project.branches.push({ ...rest, push_access_levels: [level(push as number)] });
    if (what === '/protected_tags') project.tags.push({ ...rest, create_access_levels: [level(create as number)] });
    if (what === '/approval_rules') project.approvalRules.push(rest);
    if (what === '/approvals') Object.assign(project.approvals, fields);
    if (what === '/push_rule') project.pushRule = fields;
    if (what === '/protected_environments')
      project.environments.push({
        ...fields,
        deploy_access_levels: (fields.deploy_access_levels as Json[]).map((each) => level(null, each)),
      });
    if (what === '/job_token_scope') project.jobTokens.inbound_enabled = fields.enabled === true;
  }
  return world;
}

export function cleanSite({ folder }: Site): void {
  rmSync(folder, { recursive: true, force: true });
}
