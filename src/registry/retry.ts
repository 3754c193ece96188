import { CouldNot, GatehouseError, messageOf } from '../lib/errors.ts';
import type { HttpReply } from './http.ts';
import type { Timing } from './timing.ts';

/** A failure that may pass: connection lost, too many requests, server error. */
export class Transient extends Error {
  /** Milliseconds that the server asked us to wait, or null. */
  readonly wait: number | null;

  constructor(message: string, wait: number | null, cause?: unknown) {
    super(message, { cause });
    this.wait = wait;
  }
}

const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;

/**
 * Runs an action that may be repeated, at most `attempts` times, as long as it fails with a Transient; waits 250 ms, twice as
 * long each time, or what the server says. Throws CouldNot `registry.unavailable` at the end. `what` says what was tried.
 */
export async function withRetries<T>(
  attempts: number,
  timing: Timing,
  what: string,
  action: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      if (attempt >= attempts) {
        throw new CouldNot(
          'registry.unavailable',
          `could not ${what}: ${error.message} (tried ${attempt === 1 ? 'once' : `${attempt} times`}); check the registry and the network, then run again`,
          error,
        );
      }
      await timing.sleep(error.wait ?? FIRST_DELAY * 2 ** (attempt - 1) * (0.5 + timing.random()));
    }
  }
}

const TRANSIENT = [408, 429, 500, 502, 503, 504];

/** Throws a Transient where this answer is one that may be better next time. */
export function throwTransient(reply: HttpReply, what: string): void {
  if (!TRANSIENT.includes(reply.status)) return;
  reply.body.resume();
  throw new Transient(`${reply.url.host} answered ${reply.status} to ${what}`, waitOf(reply.headers['retry-after']));
}

/** Errors of the network that another attempt will not mend: a wrong name, a certificate nobody vouches for. */
const LASTING = /^(ENOTFOUND|ERR_TLS|CERT_|ERR_INVALID|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/;

/** Turns what the network threw into a Transient or, where trying again is of no use, a CouldNot. */
export function networkError(thrown: unknown, host: string, what: string): Error {
  if (thrown instanceof GatehouseError || thrown instanceof Transient) return thrown;
  const code = String((thrown as NodeJS.ErrnoException | null)?.code ?? '');
  const detail = messageOf(thrown) || code;
  if (LASTING.test(code)) {
    const fix =
      code === 'ENOTFOUND'
        ? "check the registry's name"
        : "pass the registry's certificate authority if it is your own";
    return new CouldNot('registry.unreachable', `could not ${what}: ${host}: ${detail}; ${fix}`, thrown);
  }
  return new Transient(`${host}: ${detail}`, null, thrown);
}

/** Only seconds: registries send no dates, and a date would need a clock that agrees with theirs. */
function waitOf(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Math.min(Number(header) * 1000, LONGEST_DELAY) : null;
}
