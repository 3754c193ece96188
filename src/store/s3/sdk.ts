/*
 * What is used of the SDK, in one module that is only ever imported lazily: `await import('./sdk.ts')`.
 */
export {
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
export { clientFor, serverTimeOf } from './client.ts';
