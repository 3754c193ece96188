/*
 * What is used of the SDK, in one module that is only ever imported lazily: `await import('./aws-sdk.ts')`.
 */
export { KMSClient, SignCommand } from '@aws-sdk/client-kms';
export { clientSettings } from '../../lib/aws/settings.ts';
