import * as z from '../lib/zod.ts';
import type { Attachments } from './attachments.ts';
import { type Fact, recordColumns } from './standing.ts';
import { countOf, textOf } from './table-file.ts';
import type { Row } from './tables.ts';

/** CycloneDX, as far as a search for a component needs it. */
const component = z.looseObject({
  type: z.string(),
  group: z.optional(z.string()),
  name: z.string(),
  version: z.optional(z.string()),
  purl: z.optional(z.string()),
});
const sbom = z.looseObject({ components: z.array(component) });

/** Rows of one sbom.created; the components only when no record before named the same SBOM. */
export async function sbomRows(
  fact: Fact,
  attachments: Attachments,
  seen: Set<string>,
): Promise<{ sbom: Row<'sboms'>; components: Row<'components'>[] }> {
  const image = fact.record.subjects.find(({ kind }) => kind === 'image');
  const digest = fact.record.attachments.find(({ role }) => role === 'sbom')?.digest ?? null;
  const known = digest !== null && seen.has(digest);
  const document = known ? null : await attachments.read(fact, 'sbom', sbom);
  if (document !== null && digest !== null) seen.add(digest);
  return {
    sbom: {
      ...recordColumns(fact),
      image: image?.name ?? null,
      digest: image?.digest ?? null,
      sbom_digest: digest,
      format: textOf(fact.record.data.format),
      components: countOf(fact.record.data.components),
      readable: known || document !== null,
    },
    components: (document?.components ?? []).map(({ type, group, name, version, purl }) => ({
      evidence_key: fact.key,
      sbom_digest: digest,
      type,
      name: group === undefined || group === '' ? name : `${group}/${name}`,
      version: version ?? null,
      purl: purl ?? null,
    })),
  };
}
