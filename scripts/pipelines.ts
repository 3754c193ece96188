/**
 * The two halves of a pipeline on GitLab, as components: `promote` for the protected parent project, `child` for application
 * repositories. Where their inputs are a command's own, names, descriptions and patterns are those of its face.
 */
import { STARTED } from '../src/platform/gitlab/same-job.ts';
import {
  afterCancelled,
  CLUSTER_AUDIENCE,
  CLUSTER_TOKEN,
  fetchRelease,
  idTokens,
  JOB_INPUTS,
  NOTE,
  PLAIN,
  RUNNER_TAG,
  yaml,
} from './faces.ts';

type Inputs = Record<string, { description: string; regex?: string; options?: string[]; default?: string }>;

const header = (inputs: Inputs) => `${NOTE}${yaml({ spec: { component: ['sha'], inputs } })}---\n`;
const { 'job-image': jobImage, 'component-project': componentProject } = JOB_INPUTS;

const PATH = '[A-Za-z0-9_][A-Za-z0-9._-]*(\\x2f[A-Za-z0-9_][A-Za-z0-9._-]*)+';
const BY_DIGEST = jobImage.regex.slice(1, -1);
const BRANCH = '^[A-Za-z0-9][A-Za-z0-9._\\x2f-]{0,200}$';
const environment = {
  description: 'environment of contract.yml that the image goes to',
  regex: '^[a-z0-9-]{1,63}$',
  default: 'production',
};

/** What they are for, and in whose pipeline, for their READMEs. */
export const ABOUT: Readonly<Record<string, { says: string; where: string }>> = {
  promote: {
    says: 'One repository’s way from its merged commit to its deploy: starts the application’s pipeline, opens the run, collects, signs, records, judges, waits for one approval, judges again, deploys, seals. Include it once for each repository of a run.',
    where: 'the protected project, which holds nothing else but, for method kubernetes, the manifests',
  },
  child: {
    says: 'Build, test and scan of an application, without a token or key. In pipelines that the protected project starts their results are collected; in merge requests, and on branches that are not protected, `gatehouse-preview` says what the gate would deny, in its log and in the merge request as “Gatehouse preview”. It decides nothing.',
    where: 'an application’s `.gitlab-ci.yml`',
  },
};

/** Path → content. */
export function pipelines(): Record<string, string> {
  return {
    'gitlab-components/templates/child/template.yml': childText(),
    'gitlab-components/templates/promote/template.yml': promoteText(),
  };
}

/**
 * Build, test and scan of an application, and a preview of what is not merged: no token, no key, no credential, because the
 * repository's own code runs in them. They inherit nothing, so that all that they do stands here and the parent can compare it.
 */
function childText(): string {
  const scriptInput = (what: string, file: string) => ({
    description: `the repository’s own script that ${what}; run by sh`,
    regex: '^[A-Za-z0-9][A-Za-z0-9._\\x2f-]{0,200}$',
    default: file,
  });
  const inputs: Inputs = {
    environment,
    'build-script': scriptInput(
      'builds the image as an OCI layout into the folder GATEHOUSE_LAYOUT',
      'ci/build-image.sh',
    ),
    'test-script': scriptInput('tests', 'ci/test.sh'),
    'build-image': {
      ...jobImage,
      description: 'image that build and test run in, by digest, with what their scripts need',
    },
    'job-image': {
      ...jobImage,
      description: 'image that the scan runs in, by digest, with Node 24, git and the scanners',
    },
    'component-project': componentProject,
  };
  const start = (name: string, image: string, needs: string, variables: string) => `gatehouse-${name}:
  stage: test
  image: { name: "$[[ inputs.${image} ]]" }
  inherit: { default: false, variables: false }
  needs: ${needs}
  variables: ${variables}
  interruptible: false
  rules:
`;
  const script = `  script:
    - |
      set -eu
`;
  const job = (name: string, image: string, needs: string, body: string) =>
    `${start(name, image, needs, '{ GIT_DEPTH: "0", GATEHOUSE_LAYOUT: image }')}${[STARTED, ...PREVIEWED]
      .map((rule) => `    - if: ${rule}\n`)
      .join('')}${script}${body}`;
  return `${header(inputs)}# They run in pipelines that the protected parent project starts, which collects from them, and for what is not merged yet.
${job('build', 'build-image', '[]', "      sh '$[[ inputs.build-script ]]'\n      test -f image/index.json\n  artifacts: { paths: [image/], expire_in: 30 days }\n")}
${job('test', 'build-image', '[]', "      sh '$[[ inputs.test-script ]]'\n")}
${job(
  'scan',
  'job-image',
  '[{ job: gatehouse-build, artifacts: true }]',
  `      rm -rf reports gatehouse-outputs
${fetchRelease()}      gatehouse scan --phase run --environment '$[[ inputs.environment ]]' --layout image --reports reports --outputs gatehouse-outputs
  artifacts: { paths: [reports/, gatehouse-outputs/], expire_in: 30 days, when: always }
`,
)}
# What the gate would say of the scans, also of those that did not come to their end. No key, no decision.
${start('preview', 'job-image', '[{ job: gatehouse-scan, artifacts: true }]', '{ GIT_STRATEGY: empty }')}${PREVIEWED.map(
  (rule) => `    - if: ${rule}\n      when: always\n`,
).join('')}${script}${fetchRelease()}      ended=0
      gatehouse policy-gate --stage preview --environment '$[[ inputs.environment ]]' --reports reports --digest="$(cat gatehouse-outputs/digest)" > gatehouse-preview.txt 2>&1 || ended=$?
      cat gatehouse-preview.txt
      exit "$ended"
  artifacts: { expose_as: Gatehouse preview, paths: [gatehouse-preview.txt], expire_in: 30 days, when: always }
`;
}

/** What is not merged: merge requests, and branches without one that anybody may push to. */
const PREVIEWED = [
  '$CI_PIPELINE_SOURCE == "merge_request_event"',
  '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH && $CI_COMMIT_REF_PROTECTED != "true" && $CI_OPEN_MERGE_REQUESTS == null',
];

const STAGES = ['children', 'open', 'sign', 'record', 'promote', 'approve', 'decide', 'deploy', 'seal'].map(
  (stage) => `gatehouse-${stage}`,
);

/** One repository's promotion in the parent pipeline; included once for each repository of a run. */
function promoteText(): string {
  const plain = (description: string, preset?: string) => ({
    description,
    regex: PLAIN,
    ...(preset === undefined ? {} : { default: preset }),
  });
  const inputs: Inputs = {
    name: {
      description: 'short name of the repository, in the names of its jobs',
      regex: '^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$',
    },
    project: { description: 'path of the application repository', regex: `^${PATH}$` },
    others: {
      description:
        'paths of the other repositories of this run, with commas between them: a pipeline that nobody named denies',
      regex: `^(${PATH}(,${PATH})*)?$`,
      default: '',
    },
    ref: { description: 'its protected branch', regex: BRANCH, default: 'main' },
    commit: {
      description: 'the very commit of it, where one was agreed on',
      regex: '^([0-9a-f]{40}|[0-9a-f]{64})?$',
      default: '',
    },
    environment,
    image: { description: 'where the image goes, registry/repository', regex: '^[a-z0-9._:-]+(\\x2f[a-z0-9._-]+)+$' },
    target: plain('where it is deployed to, cluster/namespace/kind/name'),
    method: {
      description: 'how it is deployed: by a commit to the GitOps repository, or to the cluster’s API server itself',
      options: ['gitops', 'kubernetes'],
      default: 'gitops',
    },
    'gitops-project': { description: 'gitops: path of the GitOps repository', regex: `^(${PATH})?$`, default: '' },
    'gitops-branch': { description: 'gitops: its branch', regex: BRANCH, default: 'main' },
    manifest: plain('manifest of the workload: in the GitOps repository, or for kubernetes in this project'),
    'cluster-audience': CLUSTER_AUDIENCE,
    'rollout-timeout': {
      description: 'kubernetes: how long to wait until the workload has rolled out',
      regex: '^[1-9][0-9]{0,4}[smh]$',
      default: '5m',
    },
    'child-releases': {
      description:
        'commits of the component project, besides this component’s own, at which children may still include theirs, with commas',
      regex: '^([0-9a-f]{40}(,[0-9a-f]{40})*)?$',
      default: '',
    },
    'scan-images': {
      description: 'images, by digest, of which a child’s scan runs in one, with commas',
      regex: `^${BY_DIGEST}(,${BY_DIGEST})*$`,
    },
    'runner-tag': RUNNER_TAG,
    'job-image': jobImage,
    'component-project': componentProject,
  };
  return `${header(inputs)}# The protected project has no other jobs, so the order of its stages is said here.
stages: [${STAGES.join(', ')}]

gatehouse-$[[ inputs.name ]]-children:
  stage: gatehouse-children
  inherit: { default: false, variables: false }
  rules:
    - if: ${PROTECTED}
  trigger:
    project: $[[ inputs.project ]]
    branch: $[[ inputs.ref ]]
    strategy: mirror
    forward: { pipeline_variables: false, yaml_variables: false }

# A run is opened and sealed however its children ended: what failed leaves a record too.
${trusted({
  name: 'open',
  role: 'gate',
  when: 'always',
  script: `      gatehouse evidence-emit --type run.opened ${CHILD} --environment '$[[ inputs.environment ]]'\n`,
})}
${trusted({
  name: 'sign',
  role: 'build',
  script: `${collect('build')}      gatehouse build-sign --phase sign ${CHILD} --collected "$work/collected" --image '$[[ inputs.image ]]' ${OUTPUTS}\n`,
  promises: `build-sign --phase sign ${CHILD}`,
  leaves: true,
})}
${trusted({
  name: 'record',
  role: 'scan',
  takes: ['sign'],
  script: `${collect('scan')}      gatehouse scan --phase record ${CHILD} --collected "$work/collected" --subject ${IMAGE}\n`,
  promises: `scan --phase record ${CHILD}`,
})}
${trusted({
  name: 'promote',
  role: 'gate',
  takes: ['sign'],
  script: `      gatehouse policy-gate --stage promote ${CHILD} --environment '$[[ inputs.environment ]]' --image ${IMAGE}\n`,
  promises: `policy-gate --stage promote ${CHILD} --environment '$[[ inputs.environment ]]'`,
})}
# One approval for all repositories of the run: every repository's include names this same job.
gatehouse-approve:
  stage: gatehouse-approve
  image: $[[ inputs.job-image ]]
  tags: ["$[[ inputs.runner-tag ]]"]
  inherit: { default: false, variables: false }
  variables: { GIT_STRATEGY: none }
  environment:
    name: $[[ inputs.environment ]]
  rules:
    - if: ${PROTECTED}
      when: manual
      allow_failure: false
  script:
    - 'true'

${trusted({
  name: 'decide',
  role: 'gate',
  takes: ['sign'],
  script: `      gatehouse policy-gate --stage deploy ${CHILD} --environment '$[[ inputs.environment ]]' --image ${IMAGE} --target '$[[ inputs.target ]]' ${OUTPUTS}\n`,
  promises: `policy-gate --stage deploy ${CHILD} --environment '$[[ inputs.environment ]]'`,
  leaves: true,
})}
${trusted({
  name: 'deploy',
  role: 'deploy',
  takes: ['sign', 'decide'],
  script: deployScript(),
  tokens: CLUSTER_TOKEN,
  more: '\n  resource_group: $[[ inputs.environment ]]',
})}
${trusted({
  name: 'seal',
  role: 'gate',
  when: 'always',
  script: `      gatehouse evidence-emit --type run.sealed ${CHILD} --outcome as-pipeline\n`,
})}`;
}

const PROTECTED = '$CI_COMMIT_REF_PROTECTED == "true" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH';
const CHILD = "--child '$[[ inputs.project ]]'";
const OUTPUTS = "--outputs 'gatehouse-outputs/$[[ inputs.name ]]'";
/** What the sign job signed. The gate looks the image up and verifies it: this file only says which one is meant. */
const IMAGE = `"$(cat 'gatehouse-outputs/$[[ inputs.name ]]/image')"`;

const collect = (job: string) =>
  `      gatehouse collect ${CHILD} --others '$[[ inputs.others ]]' --ref '$[[ inputs.ref ]]' --commit '$[[ inputs.commit ]]' --job ${job} --component-sha '$[[ component.sha ]],$[[ inputs.child-releases ]]' --scan-images '$[[ inputs.scan-images ]]' --out "$work/collected"
`;

interface TrustedJob {
  name: string;
  role: string;
  when?: string;
  /** Of which jobs it gets the files; of others nothing reaches it, no variable of a dotenv report either. */
  takes?: string[];
  script: string;
  /** What it was to record, where it is cancelled. */
  promises?: string;
  /** Whether it leaves outputs to later jobs. */
  leaves?: boolean;
  tokens?: string;
  more?: string;
}

/** A job that holds a role's identity: our code only, nothing inherited, on the protected default branch alone. */
function trusted(job: TrustedJob): string {
  const { name, role, when, takes = [], script, promises, leaves = false, tokens = '', more = '' } = job;
  const cancelled = promises === undefined ? '' : afterCancelled(promises);
  return `gatehouse-$[[ inputs.name ]]-${name}:
  stage: gatehouse-${name}
  image: $[[ inputs.job-image ]]
  tags: ["$[[ inputs.runner-tag ]]"]
  inherit: { default: false, variables: false }
  dependencies: [${takes.map((from) => `"gatehouse-$[[ inputs.name ]]-${from}"`).join(', ')}]
  interruptible: false${more}
  environment:
    name: gatehouse/${role}
${idTokens(role)}${tokens}
  rules:
    - if: ${PROTECTED}${when === undefined ? '' : `\n      when: ${when}`}
  script:
    - |
      set -eu
${fetchRelease()}${script}${cancelled}${leaves ? '  artifacts: { paths: [gatehouse-outputs/], expire_in: 1 day }\n' : ''}`;
}

function deployScript(): string {
  const flags = `--decision "$(cat 'gatehouse-outputs/$[[ inputs.name ]]/decision-key')" ${CHILD} --image ${IMAGE} --environment '$[[ inputs.environment ]]' --target '$[[ inputs.target ]]' --method '$[[ inputs.method ]]' --rollout-timeout '$[[ inputs.rollout-timeout ]]'`;
  return `      if [ '$[[ inputs.method ]]' = kubernetes ]; then
        gatehouse deploy-by-digest ${flags} --manifest '$[[ inputs.manifest ]]'
      else
        # A job's own token pushes to its own project only.
        if [ -z "\${GATEHOUSE_GIT_TOKEN:-}" ]; then
          echo 'error: GATEHOUSE_GIT_TOKEN is not set: it takes a token of $[[ inputs.gitops-project ]] with write_repository, as docs/gitlab.md sets it up' >&2
          exit 2
        fi
        fetch "$GATEHOUSE_GIT_TOKEN" clone -q --branch '$[[ inputs.gitops-branch ]]' "$CI_SERVER_URL/$[[ inputs.gitops-project ]].git" "$work/gitops"
        gatehouse deploy-by-digest ${flags} --manifest "$work/gitops/$[[ inputs.manifest ]]"
      fi
`;
}
