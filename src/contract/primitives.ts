import { parseDuration, parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';

/** `sha256:<64 hex>`: images, files, envelopes. */
export const digest = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex>'));

/** `gitCommit:<40|64 hex>` as a subject digest. */
export const commitDigest = z
  .string()
  .check(z.regex(/^gitCommit:([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected gitCommit:<40 or 64 hex>'));

/** A bare git commit id. */
export const commit = z
  .string()
  .check(z.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full commit id of 40 or 64 hex digits'));

/** RFC 3339, UTC, `Z`. */
export const time = z.string().check(
  z.refine((text) => parseTime(text) !== null, 'expected an RFC 3339 time in UTC, for example 2026-01-31T08:00:00Z'),
  z.meta({ format: 'date-time' }),
);

/** Milliseconds since 1970; facts and the policy's contract carry only these, since the policy cannot parse times. */
export const milliseconds = z.int().check(z.minimum(0), z.maximum(253_402_300_799_999));

/** `90s`, `15m`, `24h`, `365d`. */
export const duration = z.string().check(
  z.refine((text) => parseDuration(text) !== null, 'expected a duration such as 90s, 15m, 24h or 365d'),
  z.meta({ pattern: '^[1-9][0-9]{0,5}(s|m|h|d)$' }),
);

/** Short text without control characters: names, identifiers, messages that end up in a log or a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const printable = /^[^\u0000-\u001f\u007f\u2028\u2029]+$/;
export const name = z
  .string()
  .check(z.minLength(1), z.maxLength(256), z.regex(printable, 'expected text without control characters'));
export const text = z
  .string()
  .check(z.minLength(1), z.maxLength(4096), z.regex(printable, 'expected text without control characters'));

/** Any text but none. */
export const filled = z.string().check(z.minLength(1));

/** How many: things, bytes. */
export const count = z.int().check(z.minimum(0));

/** A list that says something. */
export const atLeastOne = <T extends z.ZodMiniType>(item: T) => z.array(item).check(z.minLength(1));

/** Which attempt of a run. */
export const attempt = z.int().check(z.minimum(1), z.maximum(10_000));

/** 16 hex digits; equal for the same finding in two runs of the same tool. */
export const fingerprint = z.string().check(z.regex(/^[0-9a-f]{16}$/));

/** A slug that may stand in a store key. */
export const slug = z
  .string()
  .check(
    z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected letters, digits, dot, dash or underscore, at most 128'),
  );

/** `registry/repo@sha256:<64 hex>`: the only form of image reference that anything here acts on. */
export const imageReference = z
  .string()
  .check(z.regex(/^[^@\s]+@sha256:[0-9a-f]{64}$/, 'expected registry/repository@sha256:<64 hex>'));

export const knownSeverity = z.enum(['critical', 'high', 'medium', 'low', 'info']);
export const severity = z.enum([...knownSeverity.options, 'unknown']);
export const severities = severity.options;
export const category = z.enum(['sast', 'sca', 'container', 'iac', 'secrets', 'tls', 'dast', 'lint']);
export const platformKind = z.enum(['github', 'gitlab', 'local']);
export const buildKind = z.enum(['built', 'adopted']);
/** How far the build was kept from the key, weakest first. */
export const isolation = z.enum(['none', 'process', 'job']);
/** How firmly an approval is tied to the digest, weakest first. */
export const strength = z.enum(['job', 'run', 'digest']);
export const stage = z.enum(['promote', 'deploy']);
export const pem = z
  .string()
  .check(
    z.regex(
      /^-----BEGIN (PUBLIC KEY|CERTIFICATE)-----\n[A-Za-z0-9+/=\n]+-----END \1-----\n?$/,
      'expected a PEM block, PUBLIC KEY or CERTIFICATE',
    ),
  );
