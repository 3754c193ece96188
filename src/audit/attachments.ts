import { problemText } from '../contract/problems.ts';
import { readAttachment } from '../evidence/blob.ts';
import type { Survey } from '../evidence/verify/survey.ts';
import { GatehouseError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import type { Fact } from './standing.ts';
import type { Row } from './tables.ts';

/** Reads what records have attached. Bytes other than those that the record names are no facts: they go to quarantine. */
export class Attachments {
  readonly #store: Store;
  readonly #blobs: Survey['blobs'];
  readonly #refused: Map<string, Row<'quarantine'>>;

  constructor(store: Store, { blobs }: Survey) {
    this.#store = store;
    this.#blobs = blobs;
    this.#refused = new Map();
  }

  /** The attachment of this role as its schema has it, or null when there is none that can be used. */
  async read<T>(fact: Fact, role: string, schema: z.ZodMiniType<T>): Promise<T | null> {
    const attachment = fact.record.attachments.find((each) => each.role === role);
    if (attachment === undefined) return null;
    const refuse = (reason: string) => {
      const row = {
        evidence_key: attachment.key,
        run: fact.run,
        code: 'ATTACHMENT',
        reason: `${role} of ${fact.key}: ${reason}`,
      };
      this.#refused.set(`${attachment.key} ${fact.key}`, row);
      return null;
    };
    // The survey has read it within its limits: what it could not read is not read here either.
    const seen = this.#blobs.get(attachment.key);
    if (seen === undefined) return refuse('it is not in the store');
    if (seen.digest !== attachment.digest)
      return refuse(`it holds ${seen.digest}, the record says ${attachment.digest}`);
    try {
      const parsed = schema.safeParse(parseJson(await readAttachment(this.#store, attachment), role));
      return parsed.success ? parsed.data : refuse(`it does not fit: ${problemText(parsed.error, schema)}`);
    } catch (cause) {
      if (cause instanceof GatehouseError) return refuse(cause.message);
      throw cause;
    }
  }

  /** What was refused so far, in order of its keys. */
  refused(): Row<'quarantine'>[] {
    return [...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}
