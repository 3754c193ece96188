import { atLeastOne } from '../contract/primitives.ts';
import { CouldNot } from '../lib/errors.ts';
import * as z from '../lib/zod.ts';
import { collect } from './body.ts';
import type { HttpReply } from './http.ts';

/** A registry answered, and the answer was no. */
export class RegistryRefused extends CouldNot {
  readonly status: number;
  /** The registry's own code, for example `TAG_INVALID`, or null. */
  readonly reason: string | null;

  constructor(message: string, status: number, reason: string | null) {
    super(codes[status] ?? 'registry.status', message);
    this.status = status;
    this.reason = reason;
  }
}

const codes: Record<number, string> = {
  401: 'registry.unauthorized',
  403: 'registry.forbidden',
  404: 'registry.not_found',
};

const fixes: Record<number, string> = {
  401: 'check the credentials for this registry',
  403: 'check that these credentials may do this in this repository',
  404: "check the repository's name and the digest, and that the image was pushed there",
  405: 'this registry does not offer it',
  413: 'it is larger than this registry takes',
};

const errorReply = z.object({ errors: atLeastOne(z.object({ code: z.string(), message: z.optional(z.string()) })) });

/** Reads the registry's reason (distribution specification, "Error codes") and makes it an error. `what` says what was tried. */
export async function refusalOf(reply: HttpReply, what: string): Promise<RegistryRefused> {
  const [first] = await reasons(reply);
  const said = first === undefined ? '' : ` (${[first.code, first.message].filter((part) => part).join(': ')})`;
  const fix = fixes[reply.status] ?? "look at the registry's own log";
  return new RegistryRefused(
    `could not ${what}: ${reply.url.host} answered ${reply.status}${printable(said)}; ${fix}`,
    reply.status,
    first?.code ?? null,
  );
}

async function reasons(reply: HttpReply): Promise<{ code: string; message?: string | undefined }[]> {
  try {
    const bytes = await collect(reply.body, 64 * 1024, () => new Error('too long for an error'));
    return errorReply.parse(JSON.parse(bytes.toString('utf8'))).errors;
  } catch {
    // The status alone says enough; what a registry adds is only there to help.
    return [];
  }
}

/** The registry chose this text and it goes into logs: no control characters, and short. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, ' ').slice(0, 300);
}
