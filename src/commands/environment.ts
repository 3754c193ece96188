import { BadInput } from '../lib/errors.ts';

/** Variables that change what this very program is, whom it trusts or whom it talks to, or print what it says to them. */
const REDIRECTING = [
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
  'NODE_DEBUG',
  'NODE_EXTRA_CA_CERTS',
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_USE_ENV_PROXY',
  'NODE_USE_SYSTEM_CA',
  'OPENSSL_CONF',
  'LD_PRELOAD',
  'LD_AUDIT',
  'LD_LIBRARY_PATH',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
];

/**
 * Throws BadInput when the environment of a trusted job would bend it: whoever can set such a variable could otherwise run code
 * beside the key, read its credentials in the log or answer in the place of store, registry and platform. Variables of SDKs
 * (`AWS_ENDPOINT_URL`) need no mention: endpoints come from the contract alone.
 */
export function requireUnbentEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  const set = Object.entries(env)
    .filter(([name, value]) => REDIRECTING.includes(name.toUpperCase()) && value !== undefined && value !== '')
    .map(([name]) => name);
  if (set.length > 0)
    throw new BadInput(
      'environment.redirected',
      `${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} set in the environment: a trusted job does not start under what could change its program, its trust or its network; unset it for this step`,
    );
}
