import { BASE_ADDRESS, baseAddress, serviceAddress } from '../lib/aws/address.ts';
import { BadInput } from '../lib/errors.ts';

/** A key in AWS KMS. All of it comes from the URL, nothing from the environment. */
export interface KmsAddress {
  arn: string;
  region: string;
  /** Base address of the service. */
  endpoint: string;
  /** Base address of the token service, for credentials by web identity; null where nothing says which. */
  sts: string | null;
}

const ARN = /^arn:(?:aws|aws-cn|aws-us-gov):kms:([a-z0-9][a-z0-9-]{1,31}):\d{12}:key\/[A-Za-z0-9-]{1,64}$/;
const PARAMETERS = ['endpoint', 'sts'];

/**
 * Where the private half of a key lies: null for a file (`file:key.pem`), else the key in AWS KMS of
 * `awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID` with, where they are needed, `?endpoint=` and `sts=` (base addresses). Throws
 * BadInput `key.url`, without repeating what could be a password.
 */
export function parseKeyUrl(text: string): KmsAddress | null {
  const scheme = text.slice(0, text.indexOf(':'));
  if (scheme === 'file') return null;
  if (scheme !== 'awskms')
    throw new BadInput(
      'key.url',
      `keys of kind ${scheme}: cannot be opened: use file:key.pem, or awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID for a key in AWS KMS`,
    );
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !text.startsWith('awskms:///') || url.hash !== '')
    throw wrong('it is not of the form awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID');
  const arn = url.pathname.slice(1);
  const region = ARN.exec(arn)?.[1];
  if (region === undefined)
    throw wrong(
      'it needs the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID: an alias can be pointed at another key, and an id alone says no region',
    );
  const strange = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (strange !== undefined) throw wrong(`there is no parameter ${strange}: it takes ${PARAMETERS.join(', ')}`);
  const endpoint = base(url, 'endpoint');
  return {
    arn,
    region,
    endpoint: endpoint ?? serviceAddress('kms', region),
    sts: base(url, 'sts') ?? (endpoint === null ? serviceAddress('sts', region) : null),
  };
}

function base(url: URL, name: string): string | null {
  const [text, another] = url.searchParams.getAll(name);
  if (text === undefined) return null;
  if (another !== undefined) throw wrong(`it has ${name}= twice`);
  const address = baseAddress(text);
  if (address === null) throw wrong(`${name}= ${BASE_ADDRESS}`);
  return address;
}

function wrong(why: string): BadInput {
  return new BadInput('key.url', `the key's awskms URL is wrong: ${why}; see docs/fork.md`);
}
