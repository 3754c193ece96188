const LOOPBACK = '127.0.0.1';

/** Base address of a service of AWS in a region: `https://kms.eu-central-1.amazonaws.com`. */
export function serviceAddress(service: string, region: string): string {
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** The base address of a service as somebody wrote it, https, plain http on 127.0.0.1 only; null when it is none. */
export function baseAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return null;
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === LOOPBACK);
  const bare =
    url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/';
  return safe && bare ? url.origin : null;
}

/** What is said of an address that is none. */
export const BASE_ADDRESS = `takes the base address of a service, https://host (http only on ${LOOPBACK}): over plain http anybody on the way could answer`;
