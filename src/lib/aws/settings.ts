import { rootCertificates } from 'node:tls';
import { http } from '../http.ts';
import { credentialsFrom, type Purpose } from './credentials.ts';

/** Milliseconds: to connect, and without a byte on an open connection. */
const CONNECT_LIMIT = 10_000;
const SILENCE_LIMIT = 30_000;

interface Service {
  region: string;
  /** Base address. */
  endpoint: string;
}

/**
 * Settings of a client that talks to this address and to nothing else. Everything that the SDK would otherwise look up in
 * variables or configuration files is said here: an endpoint, a region or a mode from there would let whoever sets it choose
 * whom a trusted job talks to. One attempt a request, since retries are ours (retry.ts).
 */
export function clientSettings(
  { region, endpoint }: Service,
  env: Readonly<Record<string, string | undefined>>,
  purpose: Purpose,
) {
  return {
    region,
    endpoint,
    credentials: () => credentialsFrom(env, purpose, http),
    requestHandler: {
      connectionTimeout: CONNECT_LIMIT,
      socketTimeout: SILENCE_LIMIT,
      // Node's own list and no more: NODE_EXTRA_CA_CERTS has no say.
      httpsAgent: { ca: [...rootCertificates], keepAlive: true },
    },
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    authSchemePreference: ['sigv4'] as string[],
    userAgentAppId: async () => undefined,
  } as const;
}
