import { platformFile } from '../contract/platform-file.ts';
import { problemText } from '../contract/problems.ts';
import type { Run, RunFile } from '../contract/run.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import type { Platform, RunIdentity, Source } from './platform.ts';

type File = ReturnType<typeof platformFile.parse>;

/**
 * Plays the platform for profile local out of a JSON file (`gatehouse/platform/1`). The run is the one that `runFile` names, or
 * the last one of the file while a run is being opened. An approval there is worth a job's at most. Throws BadInput.
 */
export function localPlatform(path: string, runFile: RunFile | null): Platform {
  return {
    identify: async () => identityOf(read(path), path, runFile),
    source: async (run) => sourceOf(read(path), path, run),
    approvalsGiven: async (run, environment) =>
      approvalsOf(read(path), run, environment).map(({ userId, state }) => ({ userId, state })),
    approvals: async (run, environment) =>
      approvalsOf(read(path), run, environment).map(({ userId, state, at }) => ({
        userId,
        state,
        at,
        atFrom: 'platform',
        digest: null,
        strength: 'job',
      })),
  };
}

function approvalsOf(file: File, run: Run, environment: string): File['approvals'] {
  return file.approvals.filter(
    (each) => each.runId === run.id && each.attempt === run.attempt && each.environment === environment,
  );
}

function read(path: string): File {
  const parsed = platformFile.safeParse(parseJson(readInput(path, 'platform file'), `platform file ${path}`));
  if (parsed.success) return parsed.data;
  throw new BadInput(
    'platform.file',
    `platform file ${path} does not fit its schema: ${problemText(parsed.error, platformFile)}`,
  );
}

function identityOf(file: File, path: string, runFile: RunFile | null): RunIdentity {
  const found =
    runFile === null
      ? file.runs.at(-1)
      : file.runs.find(({ id, attempt }) => id === runFile.id && attempt === runFile.attempt);
  if (found === undefined) {
    throw new BadInput(
      'platform.no_run',
      `platform file ${path} knows no run${runFile === null ? '' : ` ${runFile.id}, attempt ${runFile.attempt}`}: add it to runs`,
    );
  }
  return {
    run: {
      platform: 'local',
      host: file.host,
      repository: file.repository.name,
      repositoryId: file.repository.id,
      id: found.id,
      attempt: found.attempt,
      parent: null,
      caller: null,
      workflow: null,
      ref: found.ref,
      sha: found.sha,
      event: found.event,
      job: found.job,
      runner: { name: 'local', pool: 'local', environment: null, hosted: false, image: null },
    },
    workflow: { callerRef: null, callerSha: null, jobRef: null, jobSha: null },
    triggeredBy: found.triggeredBy,
    reranBy: found.reranBy,
  };
}

function sourceOf(file: File, path: string, run: Run): Source {
  const found = file.commits.find(({ sha }) => sha === run.sha);
  if (found === undefined)
    throw new BadInput('platform.no_commit', `platform file ${path} knows no commit ${run.sha}: add it to commits`);
  return {
    protected: file.protectedRefs.includes(run.ref),
    reachableFromProtected: found.reachableFrom.some((ref) => file.protectedRefs.includes(ref)),
    base: found.base,
    contributors: found.people,
    reviews: found.reviews,
    beneath: null,
  };
}
