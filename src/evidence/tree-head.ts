import type { Signer } from '../attestation/signer.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { openNote, signNote } from './note.ts';

/** A signed statement of the log about itself: so many leaves, this root (c2sp.org/tlog-checkpoint). */
export interface TreeHead {
  /** Name of the log, for example `example.org/evidence`; also the name of its key. */
  origin: string;
  size: number;
  /** Base64 of 32 bytes. */
  root: string;
}

const HEAD = /^(?<origin>[^\n]+)\n(?<size>0|[1-9]\d{0,14})\n(?<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*$/;

/** A checkpoint: the head as a note signed by the notary. Throws BadInput for an origin that a key name cannot be. */
export function signTreeHead(head: TreeHead, signer: Signer): Promise<string> {
  if (!/^[^\s+]{1,256}$/u.test(head.origin)) {
    throw new BadInput(
      'checkpoint.origin',
      `log name ${JSON.stringify(head.origin)} has spaces or plus signs or no length: use a name like example.org/evidence`,
    );
  }
  return signNote(`${head.origin}\n${head.size}\n${head.root}\n`, head.origin, signer);
}

/** Verifies a checkpoint by the notary's keys. Throws Denied. */
export function openTreeHead(checkpoint: string, notaryPems: readonly string[]): TreeHead {
  const origin = checkpoint.slice(0, checkpoint.indexOf('\n'));
  const text = openNote(checkpoint, origin, notaryPems);
  const parts = HEAD.exec(text)?.groups;
  if (parts === undefined)
    throw new Denied(
      'checkpoint.malformed',
      'not verified: the note is signed but is not a checkpoint of origin, size and root',
    );
  return { origin: parts.origin as string, size: Number(parts.size), root: parts.root as string };
}
