/** Go tools: compiled here, from the modules that the pin's go.sum names by hash. */

import { join } from 'node:path';
import { fillCache } from './cache.ts';
import type { GoTool } from './catalogue.ts';
import { pinPath, readPin } from './pin.ts';
import { run, type Session } from './run.ts';

/** Builds a tool into the cache. Throws an InstallError. */
export async function installGo(tool: GoTool, session: Session): Promise<void> {
  await fillCache(tool, async (folder, log) => {
    await run('go', buildArguments(tool, join(folder, 'bin', tool.name)), {
      ...session,
      log,
      cwd: pinPath(tool),
      env: {
        CGO_ENABLED: '0',
        GOEXPERIMENT: tool.experiment,
        // A flag or a workspace of this machine must not replace what is pinned, nor may Go fetch another Go.
        GOFLAGS: undefined,
        GOTOOLCHAIN: 'local',
        GOWORK: 'off',
      },
    });
  });
}

function buildArguments(tool: GoTool, binary: string): string[] {
  const { module, folder, own, versionVariable, versionPrefix = '' } = tool;
  const stripped = ['-s', '-w'];
  const versioned =
    versionVariable === undefined ? [] : ['-X', `${versionVariable}=${versionPrefix}${readPin(tool).version}`];
  return [
    'build',
    // readonly: a requirement without a hash in go.sum is an error, and the files of the pin are not written to.
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${[...stripped, ...versioned].join(' ')}`,
    '-o',
    binary,
    own ? '.' : folder === undefined ? module : `${module}/${folder}`,
  ];
}
