import { rootCertificates } from 'node:tls';
import { S3Client, type ServiceOutputTypes } from '@aws-sdk/client-s3';
import { http } from '../../lib/http.ts';
import type { Environment } from '../store.ts';
import type { S3Address } from './address.ts';
import { credentialsFrom } from './credentials.ts';

/** Milliseconds: to connect, and without a byte on an open connection. */
const CONNECT_LIMIT = 10_000;
const SILENCE_LIMIT = 30_000;

/**
 * A client that talks to the address of the URL and to nothing else. Everything that the SDK would otherwise look up in
 * variables or configuration files is said here: an endpoint, a region or a mode from there would let whoever sets it choose
 * where evidence goes. One attempt a request, since retries are ours (retry.ts).
 */
export function clientFor(address: S3Address, env: Environment): S3Client {
  const client = new S3Client({
    region: address.region,
    endpoint: address.endpoint,
    forcePathStyle: address.pathStyle,
    credentials: () => credentialsFrom(env, address, http),
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
    useArnRegion: false,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    followRegionRedirects: false,
    authSchemePreference: ['sigv4'],
    sigv4aSigningRegionSet: async () => undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    userAgentAppId: async () => undefined,
  });
  noteServerTime(client);
  return client;
}

/** The server's clock, from the header Date of each answer, in milliseconds; null where it sent none. */
export function serverTimeOf(output: { $metadata: object }): number | null {
  const { date } = output.$metadata as { date?: string };
  const milliseconds = Date.parse(date ?? '');
  return Number.isNaN(milliseconds) ? null : milliseconds;
}

/** The SDK drops the header; it is the only time that a writer without read access gets from the store. */
function noteServerTime(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (given) => {
      const result = await next(given);
      const { response, output } = result as {
        response: { headers?: Record<string, string> };
        output: ServiceOutputTypes;
      };
      Object.assign(output.$metadata, { date: response.headers?.date });
      return result;
    },
    { step: 'deserialize', name: 'gatehouseServerTime', priority: 'high' },
  );
}
