import { randomUUID } from 'node:crypto';
import { canonicalBytes } from '../lib/canonical.ts';
import type { Seen } from '../lib/seen.ts';
import { formatTime } from '../lib/time.ts';

/** Probe objects lie here, for as long as the store keeps anything. */
export const PROBE_PREFIX = 'v1/probe/';

/** What a store did and said when it was looked at; nothing in it is inferred or judged. */
export interface StoreFacts {
  url: string;
  kind: 'directory' | 's3';
  /** Objects that the look left behind, by key. */
  left: string[];
  /** When the probe object was put, by this machine, in milliseconds. */
  putAt: number;
  /** Of two puts under one name the second was refused. */
  createOnly: Seen<boolean>;
  /** Read back, the probe object has the bytes that were put. */
  kept: Seen<boolean>;
  /** The store's clock at the put, in milliseconds. */
  serverTime: Seen<number>;
  /** Only of servers; null for a directory. */
  server: ServerFacts | null;
}

export interface ServerFacts {
  versioning: Seen<'enabled' | 'suspended' | 'off'>;
  lock: Seen<{ mode: string | null; days: number | null; years: number | null } | null>;
  /** Until when the probe object is locked, in milliseconds, as the server shows it on the object itself. */
  lockedUntil: Seen<number>;
  /** The answer to a put confirmed the SHA-256 of its bytes. */
  checksumConfirmed: Seen<boolean>;
  /** A put whose bytes have another SHA-256 than it says was refused. */
  checksumVerified: Seen<boolean>;
  /** Who owns an object that another account puts; null where nothing is set. */
  ownership: Seen<string | null>;
  /** Lifecycle rules in force that delete or hide objects, by id. */
  expiring: Seen<string[]>;
}

/** A name that nobody has, and two contents for it. */
export function probeObject(now: number): { key: string; bytes: Buffer; other: Buffer } {
  const id = randomUUID();
  const content = (attempt: number) =>
    canonicalBytes({ schema: 'gatehouse/probe/1', id, attempt, time: formatTime(now) });
  return { key: `${PROBE_PREFIX}${id}.json`, bytes: content(1), other: content(2) };
}
