import { roleOfType } from '../contract/roles.ts';
import type { Command, Context } from './command.ts';
import { openStage } from './stage.ts';

/**
 * Records that a run of the command was cancelled; gives the record's key, or null where there is nothing to record. For a
 * process of its own, started after the one that was ended: what that one had already written stays as it is.
 */
export async function recordCancelled(
  command: Command,
  inputs: Parameters<Command['run']>[0],
  context: Context,
): Promise<string | null> {
  const event = command.cancelled?.(inputs) ?? null;
  if (event === null) return null;
  // A slot of its own: what was signed under the step's name stands beside it.
  const env = { ...context.env, GITHUB_ACTION: `${context.env.GITHUB_ACTION ?? 'script'}-post` };
  const where = { child: (inputs as { child?: string }).child };
  const stage = await openStage(roleOfType[event.type], command.name, where, { ...context, env });
  const { run } = stage.identity;
  const { key } = await stage.write({
    ...event,
    subjects: [{ name: run.repository, kind: 'commit', digest: `gitCommit:${run.sha}` }],
    outcome: 'cancelled',
  });
  return key;
}
