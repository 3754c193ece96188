import { BadInput, CouldNot, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';
import type { Credentials } from './auth.ts';

/** Runs a program with this text on its standard input and gives its standard output. Rejects where it fails. */
export type RunHelper = (program: string, args: string[], input: string) => Promise<string>;

const config = z.looseObject({
  auths: z.optional(
    z.record(
      z.string(),
      z.looseObject({
        auth: z.optional(z.string()),
        username: z.optional(z.string()),
        password: z.optional(z.string()),
      }),
    ),
  ),
  credHelpers: z.optional(z.record(z.string(), z.string())),
  credsStore: z.optional(z.string()),
});

/** A helper's answer (docker-credential-helpers protocol, command `get`). */
const helperReply = z.looseObject({ Username: z.string(), Secret: z.string() });

/**
 * Looks up the credentials that `docker login`, a cloud's helper or a CI job has left for a registry in Docker's config.json,
 * given as its bytes (null: there is none). Order as in Docker: a helper for this registry, the common store, the file itself.
 *
 * Where no helper may be started (`run` is null) only the file itself is asked.
 *
 * Gives null where there are none. Throws BadInput for a file that cannot be read or that only names a helper which may not be
 * started, CouldNot where a helper fails.
 */
export async function dockerCredentials(
  bytes: Buffer | null,
  registry: string,
  run: RunHelper | null,
): Promise<Credentials | null> {
  if (bytes === null) return null;
  const parsed = config.safeParse(parseJson(bytes, "Docker's config.json"));
  if (!parsed.success) {
    throw new BadInput(
      'docker_config.malformed',
      `Docker's config.json is malformed: ${parsed.error.issues[0]?.message}; log in to the registry again`,
      parsed.error,
    );
  }
  const { auths = {}, credHelpers = {}, credsStore } = parsed.data;
  const key = keyFor(registry);
  const helper = credHelpers[registry] ?? credHelpers[key] ?? credsStore;
  const stored = helper === undefined || run === null ? null : await askHelper(helper, key, run);
  const found =
    stored ??
    fromFile(auths, [
      registry,
      key,
      `https://${registry}`,
      `https://${registry}/`,
      `https://${registry}/v1/`,
      `https://${registry}/v2/`,
    ]);
  if (found === null && helper !== undefined && run === null)
    throw new BadInput(
      'docker_config.helper',
      `Docker's config.json names a credential helper for ${registry}, and a trusted job starts no program that a variable names: put user name and password under auths`,
    );
  return found;
}

/** Docker Hub is kept under the address of its first API. */
function keyFor(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

async function askHelper(name: string, key: string, run: RunHelper): Promise<Credentials | null> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new BadInput(
      'docker_config.helper',
      `Docker's config.json names the credential helper ${JSON.stringify(name)}: expected the part behind "docker-credential-"`,
    );
  }
  const program = `docker-credential-${name}`;
  const answer = await runHelper(program, key, run);
  const parsed = answer === null ? null : helperReply.safeParse(parseOrNull(answer));
  if (parsed === null) return null;
  if (!parsed.success || parsed.data.Username === '<token>') {
    const what = parsed.success
      ? 'an identity token, which only a login of its own registry can use'
      : 'no user name and secret';
    throw new CouldNot(
      'docker_config.helper',
      `${program} gave ${what} for ${key}: log in with a user name and a password or an access token`,
    );
  }
  return { username: parsed.data.Username, password: parsed.data.Secret };
}

async function runHelper(program: string, key: string, run: RunHelper): Promise<string | null> {
  try {
    return await run(program, ['get'], key);
  } catch (cause) {
    // What every helper prints where it knows nothing of a registry (docker-credential-helpers, credentials/error.go).
    if (messageOf(cause).includes('credentials not found')) return null;
    throw new CouldNot(
      'docker_config.helper',
      `${program} failed for ${key}: check that it is installed and logged in`,
      cause,
    );
  }
}

/** Without the parser's own error, which would quote the secret. */
function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Auths = NonNullable<z.infer<typeof config>['auths']>;

function fromFile(auths: Auths, keys: string[]): Credentials | null {
  const entry = keys.map((key) => auths[key]).find((found) => found !== undefined);
  if (entry?.username !== undefined && entry.password !== undefined)
    return { username: entry.username, password: entry.password };
  if (!entry?.auth) return null;
  const text = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1)
    throw new BadInput(
      'docker_config.auth',
      "Docker's config.json has an entry that is not base64 of user:password: log in to the registry again",
    );
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
