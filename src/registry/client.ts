import { BadInput } from '../lib/errors.ts';
import { authenticate, type Credentials } from './auth.ts';
import { type Blobs, createBlobs } from './blobs.ts';
import { createSender } from './http.ts';
import { createManifests, type Manifests } from './manifests.ts';
import { followRedirects, isLoopback } from './redirect.ts';
import { isRegistry } from './reference.ts';
import { createReferrersApi, type ReferrersApi } from './referrers-api.ts';
import { systemTiming, type Timing } from './timing.ts';
import { createTransport } from './transport.ts';

export interface RegistryOptions {
  /** Host, with port where it is not 443: `ghcr.io`, `127.0.0.1:5000`. */
  registry: string;
  /** Sent only when the registry asks. */
  credentials?: Credentials | null;
  /** Certificate authorities (PEM) that are trusted besides Node's own list. */
  ca?: string | null;
  /** Plain http. Default: on loopback where no `ca` is given; anywhere else it is refused. */
  http?: boolean;
  /** Milliseconds without a byte after which a request is given up; default 30 s. */
  idleTimeout?: number;
  /** Milliseconds after which one request is given up whatever arrives; default 15 minutes. */
  deadline?: number;
  /** Attempts of what may be repeated; default 4. */
  attempts?: number;
  timing?: Timing;
}

/** A registry that speaks the OCI distribution specification 1.1; repositories are named in each call. */
export interface RegistryClient extends Manifests, Blobs, ReferrersApi {
  /** As given: `ghcr.io`. */
  readonly registry: string;
  readonly timing: Timing;
}

/**
 * A client for one registry. Whatever it returns for a digest has that digest: bytes that do not are Denied. What the registry
 * or the network does not give is CouldNot, after the retries.
 *
 * Throws BadInput where the registry's name is none, or where plain http is wanted of another machine.
 */
export function createRegistryClient(options: RegistryOptions): RegistryClient {
  const base = baseOf(options);
  const timing = options.timing ?? systemTiming;
  const { ca = null, idleTimeout = 30_000, deadline = 900_000, attempts = 4, credentials = null } = options;
  const send = followRedirects(createSender({ ca, idleTimeout, deadline }));
  const transport = createTransport(authenticate(send, base, credentials, timing), base, timing, attempts);
  return {
    registry: options.registry,
    timing,
    ...createManifests(transport),
    ...createBlobs(transport),
    ...createReferrersApi(transport),
  };
}

function baseOf({ registry, http, ca }: RegistryOptions): URL {
  if (!isRegistry(registry)) {
    throw new BadInput(
      'registry.name',
      `"${registry}" is not the name of a registry: expected a host in lower case, with a port where it is not 443`,
    );
  }
  // Docker Hub's images are named docker.io, its API is elsewhere.
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const loopback = isLoopback(new URL(`http://${host}`).hostname);
  if (http === true && !loopback) {
    throw new BadInput(
      'registry.plain_http',
      `${registry} is not this machine: plain http to it could be read and changed on the way; use https`,
    );
  }
  const plain = http ?? (loopback && (ca ?? null) === null);
  return new URL(`${plain ? 'http' : 'https'}://${host}`);
}
