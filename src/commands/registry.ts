import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CouldNot } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { createRegistryClient, type RegistryClient } from '../registry/client.ts';
import { dockerCredentials } from '../registry/docker-config.ts';
import { type Reference, requireDigest } from '../registry/reference.ts';
import type { Context } from './command.ts';
import { requireListed } from './listed-registry.ts';
import { ownContract } from './release.ts';

/**
 * A client for one registry with the credentials that a CI job has for it in the variable `DOCKER_AUTH_CONFIG` (Docker's
 * configuration as text, as GitLab runners take it), or that `docker login` left in `$DOCKER_CONFIG/config.json`, else
 * `~/.docker/config.json`. Credentials open a door and vouch for nothing: whatever comes back is checked by digest and
 * signature. In a job that can prove who it is no credential helper is started: both variables are text of others, and would
 * name a program that runs beside the key.
 */
export async function openRegistry(registry: string, { env, now, sleep }: Context): Promise<RegistryClient> {
  return createRegistryClient({
    registry,
    credentials: await dockerCredentials(dockerConfig(env), registry, hasIdentity(env) ? null : runHelper),
    timing: { now, sleep, random: Math.random },
  });
}

function hasIdentity(env: Context['env']): boolean {
  return [env.ACTIONS_ID_TOKEN_REQUEST_URL, env.GATEHOUSE_ID_TOKEN].some(Boolean);
}

function dockerConfig(env: Context['env']): Buffer | null {
  if (env.DOCKER_AUTH_CONFIG) return Buffer.from(env.DOCKER_AUTH_CONFIG);
  const file = join(env.DOCKER_CONFIG ?? join(env.HOME ?? '/nonexistent', '.docker'), 'config.json');
  return existsSync(file) ? readInput(file, 'Docker configuration', 1024 * 1024) : null;
}

/**
 * The image that an input names by digest. A tag is refused; the message says which digest it means now, where the contract lists
 * its registry: no other is asked. Throws BadInput.
 */
export async function imageByDigest(image: string, context: Context): Promise<Reference> {
  return await requireDigest(image, async ({ registry, repository, name, tag }) => {
    requireListed(name, ownContract(context.home));
    return await (await openRegistry(registry, context)).resolveTag(repository, tag);
  });
}

function runHelper(program: string, args: string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.on('error', (cause) =>
      reject(new CouldNot('exec.start', `cannot start ${program}: ${cause.message}`, cause)),
    );
    child.on('close', (code) =>
      code === 0
        ? resolve(Buffer.concat(out).toString('utf8'))
        : reject(new CouldNot('exec.failed', `${program} ended with exit ${code}`)),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
