import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every way that the SDK knows to be told where to go, how, and as whom. Writes its files into `folder`. */
export function hostileAws(trap: string, folder: string): Record<string, string> {
  mkdirSync(join(folder, '.aws'), { recursive: true });
  const settings = [
    `endpoint_url = ${trap}`,
    'region = evil-region-1',
    'services = evil',
    'use_fips_endpoint = true',
    'use_dualstack_endpoint = true',
    's3_use_arn_region = true',
    `role_arn = arn:aws:iam::1:role/evil`,
    'source_profile = other',
    `credential_process = /bin/sh -c 'echo evil >${folder}/ran'`,
    `[services evil]${['s3', 'kms', 'sts'].map((service) => `\n${service} =\n  endpoint_url = ${trap}`).join('')}`,
  ].join('\n');
  for (const name of ['config', 'credentials', join('.aws', 'config'), join('.aws', 'credentials')])
    writeFileSync(join(folder, name), `[default]\n${settings}\n[profile evil]\n${settings}\n`);
  return {
    HOME: folder,
    AWS_ENDPOINT_URL: trap,
    AWS_ENDPOINT_URL_S3: trap,
    AWS_ENDPOINT_URL_KMS: trap,
    AWS_ENDPOINT_URL_STS: trap,
    AWS_CA_BUNDLE: join(folder, 'config'),
    AWS_REGION: 'evil-region-1',
    AWS_DEFAULT_REGION: 'evil-region-1',
    AWS_PROFILE: 'evil',
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_SDK_LOAD_CONFIG: '1',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_S3_USE_ARN_REGION: 'true',
    AWS_MAX_ATTEMPTS: '99',
    AWS_RETRY_MODE: 'adaptive',
    AWS_DEFAULTS_MODE: 'auto',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: trap,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${trap}/credentials`,
    AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
    AWS_SIGV4A_SIGNING_REGION_SET: '*',
    AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a',
    AWS_SDK_UA_APP_ID: 'evil-app',
  };
}
