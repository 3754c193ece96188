import { BASE_ADDRESS, baseAddress, serviceAddress } from '../../lib/aws/address.ts';
import { BadInput } from '../../lib/errors.ts';
import { isKeyPart } from '../key.ts';

/** Where an S3 store is. All of it comes from the URL, nothing from the environment. */
export interface S3Address {
  bucket: string;
  /** Put before every key: empty, or ends in a slash. */
  prefix: string;
  region: string;
  /** Base address of the service. */
  endpoint: string;
  /** Whether the bucket is part of the path rather than of the host's name. */
  pathStyle: boolean;
  /** Base address of the token service, for credentials by web identity; null where nothing says which. */
  sts: string | null;
  /** Account id that has to own the bucket, or null. */
  owner: string | null;
  /** The URL in its one spelling. */
  url: string;
}

const PARAMETERS = ['region', 'endpoint', 'sts', 'owner'];
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z0-9][a-z0-9-]{1,31}$/;

/**
 * Reads `s3://bucket/prefix?region=…` with, where they are needed, `endpoint=` and `sts=` (base addresses, https, plain http on
 * 127.0.0.1 only) and `owner=` (account id). Throws BadInput `store.url`, without repeating what could be a password.
 */
export function parseS3Url(text: string): S3Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !text.startsWith('s3://')) throw wrong('it is not a URL of the form s3://bucket/prefix?region=…');
  if (url.username !== '' || url.password !== '')
    throw wrong('it carries a user or password; credentials come from the environment');
  const bucket = url.host;
  if (!BUCKET.test(bucket)) throw wrong(`"${bucket}" is not the name of a bucket (3 to 63 of a-z, 0-9, . and -)`);
  if (url.hash !== '') throw wrong('it has a part behind #');
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw wrong(`there is no parameter ${unknown}: it takes ${PARAMETERS.join(', ')}`);
  const region = only(url, 'region');
  if (region === null || !REGION.test(region)) throw wrong('it needs region=, for example region=eu-central-1');
  const endpoint = base(url, 'endpoint');
  const owner = only(url, 'owner');
  if (owner !== null && !/^\d{12}$/.test(owner)) throw wrong('owner= takes an account id of 12 digits');
  return {
    bucket,
    prefix: prefixOf(url.pathname),
    region,
    endpoint: endpoint ?? serviceAddress('s3', region),
    // A bucket with dots in its name fits no certificate, and servers other than AWS know paths.
    pathStyle: endpoint !== null || bucket.includes('.'),
    sts: base(url, 'sts') ?? (endpoint === null ? serviceAddress('sts', region) : null),
    owner,
    url: url.href,
  };
}

function prefixOf(path: string): string {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  if (trimmed === '') return '';
  if (!trimmed.split('/').every(isKeyPart))
    throw wrong('its prefix takes parts of letters, digits and . _ = ~ - joined by /');
  return `${trimmed}/`;
}

function only(url: URL, name: string): string | null {
  const values = url.searchParams.getAll(name);
  if (values.length > 1) throw wrong(`it has ${name}= twice`);
  return values[0] ?? null;
}

function base(url: URL, name: string): string | null {
  const text = only(url, name);
  if (text === null) return null;
  const address = baseAddress(text);
  if (address === null) throw wrong(`${name}= ${BASE_ADDRESS}`);
  return address;
}

function wrong(why: string): BadInput {
  return new BadInput('store.url', `the store's s3 URL is wrong: ${why}; see docs/stores.md`);
}
