/** `node sample/make-image.ts`: builds the sample service and its image. See HELP. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { File } from './archive.ts';
import { writeLayout } from './layout.ts';

const HELP = `usage: node sample/make-image.ts                            writes the OCI layout sample/image
       node sample/make-image.ts --with buildah --to DEST  builds the Dockerfile and pushes it to DEST instead
                                                           (oci:FOLDER:TAG, or docker://127.0.0.1:PORT/REPO:TAG)

Needs Go; the module's go.mod says which one. The same Go makes the same bytes, wherever and whenever it runs.
Prints the digest of the image's manifest. The first form also writes it into deploy/base/deployment.yaml.`;

const here = import.meta.dirname;
const NAME = 'registry.example/care/lab-results';
const LABELS = {
  'org.opencontainers.image.description': 'The sample service of Gatehouse',
  'org.opencontainers.image.licenses': 'Apache-2.0',
  'org.opencontainers.image.title': 'lab-results',
};

try {
  main();
} catch (cause) {
  console.error(`error: ${(cause as Error).message}`);
  process.exitCode = 3;
}

function main(): void {
  const { values } = parseArgs({
    options: { with: { type: 'string' }, to: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) console.log(HELP);
  else if (values.with === undefined) console.log(assemble());
  else if (values.with === 'buildah' && values.to !== undefined) console.log(buildWithBuildah(values.to));
  else throw new Error(`only --with buildah, together with --to DEST, is known\n${HELP}`);
}

/** Puts the image together without a builder, so that nothing but Go is needed to make it again. */
function assemble(): string {
  const server: File = { path: 'app/server', bytes: inFolder(buildServer), executable: true };
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { User: '65532:65532', ExposedPorts: { '8080/tcp': {} }, Entrypoint: ['/app/server'], Labels: LABELS },
  };
  const digest = writeLayout(join(here, 'image'), '1.0.0', config, [
    { files: filesIn(join(here, 'rootfs')), createdBy: 'COPY rootfs/ /' },
    { files: [server], createdBy: 'COPY app/server /app/server' },
  ]);
  const deployment = join(here, 'deploy', 'base', 'deployment.yaml');
  writeFileSync(
    deployment,
    readFileSync(deployment, 'utf8').replace(/(image: \S+@)sha256:[0-9a-f]{64}/, `$1${digest}`),
  );
  return `${NAME}@${digest}`;
}

/** A real build of the Dockerfile. Chroot isolation is none: the Dockerfile runs nothing, so nothing needs it. */
function buildWithBuildah(destination: string): string {
  return inFolder((work) => {
    const context = join(work, 'context');
    mkdirSync(join(context, 'app'), { recursive: true });
    cpSync(join(here, 'rootfs'), join(context, 'rootfs'), { recursive: true });
    writeFileSync(join(context, 'app', 'server'), buildServer(join(context, 'app')));
    for (const path of readdirSync(context, { recursive: true, encoding: 'utf8' }).map((each) => join(context, each))) {
      // A checkout's modes depend on who made it.
      chmodSync(path, statSync(path).isDirectory() || path.endsWith('/server') ? 0o755 : 0o644);
    }
    const storage = ['--root', join(work, 'root'), '--runroot', join(work, 'run'), '--storage-driver', 'vfs'];
    const digestFile = join(work, 'digest');
    run('buildah', [
      ...storage,
      'bud',
      '--isolation',
      'chroot',
      '--timestamp',
      '0',
      '-t',
      'localhost/lab-results',
      '-f',
      join(here, 'Dockerfile'),
      context,
    ]);
    run('buildah', [
      ...storage,
      'push',
      '--tls-verify=false',
      '--digestfile',
      digestFile,
      'localhost/lab-results',
      destination,
    ]);
    return `${NAME}@${readFileSync(digestFile, 'utf8').trim()}`;
  });
}

/** The stripped, static binary; its bytes depend on the source, the modules' hashes and the Go version only. */
function buildServer(folder: string): Buffer {
  const app = join(here, 'app');
  const wanted = /^toolchain (\S+)$/m.exec(readFileSync(join(app, 'go.mod'), 'utf8'))?.[1];
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOOS: 'linux',
    GOARCH: 'amd64',
    GOAMD64: 'v1',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly',
  };
  const found = run('go', ['env', 'GOVERSION'], app, env).trim();
  if (found !== wanted)
    throw new Error(
      `this is ${found}, but app/go.mod names ${wanted}: install that one, or change go.mod and commit the new image`,
    );
  const binary = join(folder, 'server');
  run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=', '-o', binary, '.'], app, env);
  return readFileSync(binary);
}

function run(command: string, args: string[], cwd = here, env: NodeJS.ProcessEnv = process.env): string {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sample-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): File[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
  return paths
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path: relative(folder, path), bytes: readFileSync(path), executable: false }));
}
