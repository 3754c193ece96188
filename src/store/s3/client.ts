import { S3Client, type ServiceOutputTypes } from '@aws-sdk/client-s3';
import { clientSettings } from '../../lib/aws/settings.ts';
import type { Environment } from '../store.ts';
import type { S3Address } from './address.ts';

/** A client that talks to the address of the URL and to nothing else: what of its settings is of S3 alone is said here. */
export function clientFor(address: S3Address, env: Environment): S3Client {
  const client = new S3Client({
    ...clientSettings(address, env, { of: 'store', sts: address.sts }),
    forcePathStyle: address.pathStyle,
    useArnRegion: false,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    followRegionRedirects: false,
    sigv4aSigningRegionSet: async () => undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
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
