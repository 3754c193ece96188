import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import { cleanEnvironment, commitAll, type Ended } from './sandbox.ts';

const SERVER = 'https://gitlab.example.com';

/** gitlab-ci-local with the projects of a GitLab that is not there: git finds their bare repositories on this machine. */
export interface LocalGitlab {
  /** The projects' bare repositories, by their path. */
  projects: Map<string, string>;
  /** Runs one script of a job in bash, as a runner would, in a folder of its own. */
  script(text: string, variables: Record<string, string>): Promise<Ended>;
  /** Runs it in a project's checkout: `words` are its arguments, `variables` those of the CI. */
  run(checkout: string, words: string[], variables?: Record<string, string>): Promise<Ended>;
}

/** `folder` gives a new folder of this name. */
export function localGitlab(folder: (name: string) => string): LocalGitlab {
  const projects = new Map<string, string>();
  const environment = () => {
    const config = join(folder('gitconfig'), 'config');
    const sections = [...projects].map(([project, bare]) => {
      const path = `/${project}.git`;
      return `[url "file://${bare}"]\n\tinsteadOf = ${SERVER}${path}\n\tinsteadOf = ${SERVER}:443${path}\n`;
    });
    writeFileSync(
      config,
      `${sections.join('')}[protocol "file"]\n\tallow = always\n[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n`,
    );
    return cleanEnvironment(folder('home'), { GIT_CONFIG_GLOBAL: config });
  };
  const always = { CI_SERVER_URL: SERVER, CI_JOB_TOKEN: 'a-token' };
  return {
    projects,
    script: async (text, variables) =>
      await exec('bash', ['-c', text], {
        cwd: folder('job'),
        env: { ...environment(), ...always, ...variables },
      }),
    run: async (checkout, words, variables = {}) => {
      const start = () =>
        exec(
          process.execPath,
          [
            resolve('node_modules/gitlab-ci-local/dist/index.js'),
            ...words,
            '--force-shell-executor',
            '--shell-isolation',
            '--no-artifacts-to-source',
            ...Object.entries({ ...always, ...variables }).flatMap(([name, value]) => [
              '--variable',
              `${name}=${value}`,
            ]),
          ],
          { cwd: checkout, env: environment() },
        );
      const ended = await start();
      // It fetches what is included twice at once, and then one copy finds the other's folder; nothing has run yet.
      return /cp: cannot create directory .*File exists/.test(ended.stderr + ended.stdout) ? await start() : ended;
    },
  };
}

/** Commits a folder and makes it a project of that GitLab, which a job may fetch by any commit; gives the commit's id. */
export function publish({ projects }: LocalGitlab, project: string, folder: string, into: string): string {
  const sha = commitAll(folder);
  const bare = join(into, `${project.split('/').at(-1)}.git`);
  execFileSync('git', ['clone', '-q', '--bare', folder, bare]);
  for (const setting of ['uploadpack.allowAnySHA1InWant', 'uploadpack.allowFilter'])
    execFileSync('git', ['-C', bare, 'config', setting, 'true']);
  projects.set(project, bare);
  return sha;
}

/** Makes a folder with a .gitlab-ci.yml a checkout of this project, on its default branch. */
export function checkOut(project: string, folder: string): string {
  const sha = commitAll(folder);
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args]);
  git('remote', 'add', 'origin', `${SERVER}/${project}.git`);
  git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  return sha;
}
