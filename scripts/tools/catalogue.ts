/**
 * The real tools that Gatehouse is built and tested against, in the order in which `npm run tools -- all` makes them:
 * what most work waits for first, the slowest last. Versions and hashes are not here but in the pin files under tools/
 * (see pin.ts), so that a version is written in one place.
 */

/** What a tool is for; each group's name is also a set for the command line. */
export const GROUPS = [
  'policy',
  'runners',
  'registry',
  'signing',
  'stores',
  'lint',
  'cluster',
  'browser',
  'scanners',
] as const;

interface Listed {
  /** The name on the command line, and of the binary in the cache. */
  name: string;
  group: (typeof GROUPS)[number];
  usedFor: string;
  /** Roughly how long it takes on two cores with empty caches, in seconds. */
  seconds: number;
}

/** Built from source by the Go on the machine, with the modules that tools/go/NAME/go.sum names by hash. */
export interface GoTool extends Listed {
  kind: 'go';
  module: string;
  /** The main package's folder inside the module; absent where it is the module's root. */
  folder?: string;
  /** The main package is a file of ours beside the pin, tools/go/NAME/main.go, over the module. */
  own?: true;
  /** A variable that gets the version at link time, for a tool whose reports would otherwise carry none. */
  versionVariable?: string;
  /** What that variable has in front of the number. */
  versionPrefix?: string;
  /** GOEXPERIMENT, for a tool that does not compile without it. */
  experiment?: string;
}

/** Installed from wheels into a virtual environment of its own, with the hashes in tools/python/NAME.txt. */
export interface PythonTool extends Listed {
  kind: 'python';
  /** The package's name, where it is not that of the tool. */
  distribution?: string;
  /** Packages that exist only as source; they are built with the setuptools of the lock and nothing else. */
  sources?: readonly string[];
}

/** Debian's own package: its version is the distribution's, its hash is in the signed package list. */
export interface DebianTool extends Listed {
  kind: 'debian';
  /** Where the package is not called as its program. */
  package?: string;
}

export type Tool = GoTool | PythonTool | DebianTool;

export const TOOLS: readonly Tool[] = [
  {
    name: 'opa',
    kind: 'go',
    module: 'github.com/open-policy-agent/opa',
    group: 'policy',
    usedFor: 'compiling the policies to Wasm and running their own tests',
    seconds: 75,
  },
  {
    name: 'act',
    kind: 'go',
    module: 'github.com/nektos/act',
    group: 'runners',
    usedFor: 'running the GitHub workflows on this machine',
    seconds: 30,
  },
  {
    name: 'rsync',
    kind: 'debian',
    group: 'runners',
    usedFor: 'gitlab-ci-local, which copies its workspace with it',
    seconds: 5,
  },
  {
    name: 'crane',
    kind: 'go',
    module: 'github.com/google/go-containerregistry',
    folder: 'cmd/crane',
    group: 'registry',
    usedFor: 'pushing and reading images as others do',
    seconds: 20,
  },
  {
    name: 'skopeo',
    kind: 'debian',
    group: 'registry',
    usedFor: 'copying images between registries and layouts',
    seconds: 10,
  },
  {
    name: 'buildah',
    kind: 'debian',
    group: 'registry',
    usedFor: 'building images without a daemon',
    seconds: 10,
  },
  {
    name: 'registry',
    kind: 'go',
    module: 'github.com/google/go-containerregistry',
    own: true,
    group: 'registry',
    usedFor: 'a registry that is not ours, with the referrers API or without it',
    seconds: 5,
  },
  {
    name: 'cosign3',
    kind: 'go',
    module: 'github.com/sigstore/cosign/v3',
    folder: 'cmd/cosign',
    group: 'signing',
    usedFor: 'verifying our signatures, and making some for us to verify (bundles)',
    seconds: 170,
  },
  {
    name: 'cosign2',
    kind: 'go',
    module: 'github.com/sigstore/cosign/v2',
    folder: 'cmd/cosign',
    group: 'signing',
    usedFor: 'the same in the older format, which most clusters still read',
    seconds: 145,
  },
  {
    name: 'versitygw',
    kind: 'go',
    module: 'github.com/versity/versitygw',
    folder: 'cmd/versitygw',
    group: 'stores',
    usedFor: 'an S3 server with versions and object lock, on this machine',
    seconds: 60,
  },
  {
    name: 'localstack',
    kind: 'python',
    distribution: 'localstack-core',
    sources: ['airspeed-ext', 'crontab', 'jsonpath-rw', 'tailer'],
    group: 'stores',
    usedFor: 'a second S3 server, which differs where the first is not like AWS, its token service, its KMS',
    seconds: 50,
  },
  {
    name: 'aws',
    kind: 'python',
    distribution: 'awscli',
    group: 'stores',
    usedFor: 'comparing what one put to a store costs, making keys as docs/fork.md says',
    seconds: 15,
  },
  {
    name: 'actionlint',
    kind: 'go',
    module: 'github.com/rhysd/actionlint',
    folder: 'cmd/actionlint',
    group: 'lint',
    usedFor: 'checking the syntax and the expressions of workflows',
    seconds: 5,
  },
  {
    name: 'zizmor',
    kind: 'python',
    group: 'lint',
    usedFor: 'checking the security of workflows',
    seconds: 10,
  },
  {
    name: 'etcd',
    kind: 'debian',
    package: 'etcd-server',
    group: 'cluster',
    usedFor: 'what the Kubernetes API server stores in',
    seconds: 10,
  },
  {
    name: 'kube-apiserver',
    kind: 'go',
    module: 'k8s.io/kubernetes',
    folder: 'cmd/kube-apiserver',
    versionVariable: 'k8s.io/component-base/version.gitVersion',
    versionPrefix: 'v',
    group: 'cluster',
    usedFor: 'a real Kubernetes API server to deploy to and to install admission policies in',
    seconds: 200,
  },
  {
    name: 'kubectl',
    kind: 'go',
    module: 'k8s.io/kubernetes',
    folder: 'cmd/kubectl',
    versionVariable: 'k8s.io/component-base/version.gitVersion',
    versionPrefix: 'v',
    group: 'cluster',
    usedFor: 'reading and changing that API server as people do',
    seconds: 40,
  },
  {
    name: 'chromium',
    kind: 'debian',
    group: 'browser',
    usedFor: 'opening the auditor’s report as a reader does',
    seconds: 40,
  },
  {
    name: 'gitleaks',
    kind: 'go',
    module: 'github.com/zricethezav/gitleaks/v8',
    versionVariable: 'github.com/zricethezav/gitleaks/v8/version.Version',
    group: 'scanners',
    usedFor: 'reports on secrets',
    seconds: 20,
  },
  {
    name: 'semgrep',
    kind: 'python',
    group: 'scanners',
    usedFor: 'reports on source code',
    seconds: 35,
  },
  {
    name: 'checkov',
    kind: 'python',
    group: 'scanners',
    usedFor: 'reports on infrastructure code',
    seconds: 60,
  },
  {
    name: 'osv-scanner',
    kind: 'go',
    module: 'github.com/google/osv-scanner/v2',
    folder: 'cmd/osv-scanner',
    group: 'scanners',
    usedFor: 'reports on dependencies',
    seconds: 125,
  },
  {
    name: 'trivy',
    kind: 'go',
    module: 'github.com/aquasecurity/trivy',
    folder: 'cmd/trivy',
    versionVariable: 'github.com/aquasecurity/trivy/pkg/version/app.ver',
    experiment: 'jsonv2',
    group: 'scanners',
    usedFor: 'reports on images and dependencies',
    seconds: 400,
  },
];

/** Names that stand for several tools: every group, `interop` (the peers of `npm run test:interop`) and `all`. */
export const SETS: ReadonlyMap<string, readonly Tool[]> = new Map([
  ['all', TOOLS],
  ['interop', TOOLS.filter(({ group }) => group !== 'policy' && group !== 'lint')],
  ...GROUPS.map((group) => [group, TOOLS.filter((tool) => tool.group === group)] as const),
]);
